import { describe, expect, it } from "vitest";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { tensorOf, viewOf } from "../ir/graph.js";
import { specOf } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { Network } from "./network.js";
import { zoo, zooNetwork } from "./zoo.js";

const macsOf = (graph: ReturnType<typeof zooNetwork>): number =>
  graph.nodes.reduce((sum, node) => sum + specOf(node).cost(viewOf(graph, node) as never).macs, 0);

describe("networks of the zoo", () => {
  it.each([
    // The networks of MLPerf Tiny, MACs as its models have them.
    ["ds-cnn", {}, 2_656_768],
    ["mobilenet-v1", { width: 0.25 }, 7_489_664],
    ["resnet-8", {}, 12_501_632],
    ["autoencoder", {}, 264_192],
  ] as const)("%s has the MACs of the published one", (name, options, macs) => {
    expect(macsOf(zooNetwork(name, options))).toBe(macs);
  });

  it.each(Object.keys(zoo))("%s computes something that depends on its input", (name) => {
    const entry = zoo[name];
    const width = name === "mobilenet-v2" ? 0.35 : 1;
    const graph = zooNetwork(name, { width });
    const random = seededRandom(5);
    const input = tensorOf(graph, graph.inputs[0] as never);
    const run = () =>
      createSession({ main: graph, subgraphs: [] }).invoke([
        new Float32Array(elementsOf(input.shape)).map(() => random.normal()),
      ])[0] as Float32Array;
    const [a, b] = [run(), run()];
    expect(a.length).toBe(entry?.classes === 0 ? elementsOf(input.shape) : entry?.classes);
    expect(a.every(Number.isFinite)).toBe(true);
    expect(a).not.toEqual(b);
  });

  it("are the same for a seed, and others for another", () => {
    const weightsOf = (seed: number) =>
      [...zooNetwork("mlp", { seed }).tensors.values()].find((t) => t.name.endsWith("weights"))?.data;
    expect(weightsOf(3)).toEqual(weightsOf(3));
    expect(weightsOf(3)).not.toEqual(weightsOf(4));
  });

  it("name what there is", () => {
    for (const width of [0, -1, NaN, 17]) expect(() => zooNetwork("mlp", { width })).toThrow(/TH6003[\s\S]*width/);
    expect(() => zooNetwork("dscnn")).toThrow(/TH7001[\s\S]*ds-cnn, gru-kws, mobilenet-v1/);
  });
});

describe("the builder", () => {
  it("reports sizes that do not go together with the layer's name", () => {
    const net = new Network("broken");
    const x = net.input([8, 8, 3]);
    expect(() => net.add(x, net.conv(x, 4, { stride: 2 }))).toThrow(/ADD "add"/);
  });

  it("weighs channels, joins, pools, upsamples and flattens", () => {
    const net = new Network("parts");
    const x = net.squeezeExcite(net.conv(net.input([8, 8, 3]), 8), 4);
    const y = net.concat([
      net.upsample(net.maxPool(x), 2),
      net.averagePool(x, { size: 3, stride: 1, padding: "same" }),
    ]);
    expect(y.shape).toEqual([1, 8, 8, 16]);
    const graph = net.graph([net.softmax(net.dense(y, 5))]);
    const out = createSession({ main: graph, subgraphs: [] }).invoke([
      new Float32Array(192).fill(0.5),
    ])[0] as Float32Array;
    expect(out.reduce((sum, v) => sum + v, 0)).toBeCloseTo(1, 5);
  });
});
