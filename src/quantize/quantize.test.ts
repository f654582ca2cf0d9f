import { describe, expect, it } from "vitest";
import { DiagnosticSink } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { tensorOf } from "../ir/graph.js";
import { Network, type Value } from "../nets/network.js";
import { zoo, zooNetwork } from "../nets/zoo.js";
import { checkGraph } from "../ops/check-graph.js";
import { type Graph, modelOf } from "../ops/index.js";
import { createSession, type Session } from "../run/interpreter.js";
import type { SampleInputs } from "./calibrate.js";
import { type QuantizeOptions, quantizeModel } from "./quantize.js";

/** Smooth noise, as sensors give: neighbours resemble each other. */
function samplesOf(graph: Graph, count: number, seed: number): readonly SampleInputs[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    graph.inputs.map((id) => {
      const { shape } = tensorOf(graph, id);
      let value = 0;
      return new Float32Array(elementsOf(shape)).map(() => (value = 0.7 * value + 0.5 * random.normal()));
    }),
  );
}

/** Signal to noise of a quantized graph's first output against the float one's, in decibels. */
function signalToNoise(float: Graph, quantized: Graph, samples: readonly SampleInputs[]): number {
  const [a, b] = [float, quantized].map((main) => createSession({ main, subgraphs: [] })) as [Session, Session];
  let [signal, noise] = [0, 0];
  for (const inputs of samples) {
    const [want, found] = [a, b].map((session) => session.invoke(inputs)[0]) as [Float32Array, Float32Array];
    want.forEach((v, i) => {
      signal += v * v;
      noise += (v - (found[i] as number)) ** 2;
    });
  }
  return 10 * Math.log10(signal / noise);
}

function quantized(graph: Graph, options: QuantizeOptions = {}) {
  const converted = quantizeModel(modelOf(graph), samplesOf(graph, 6, 1), options);
  const sink = new DiagnosticSink();
  checkGraph(converted.graph, sink, []);
  expect(sink.all).toEqual([]);
  return converted;
}

const small = { "mobilenet-v1": { width: 0.25, input: [48, 48, 3] }, mcunet: { input: [48, 48, 3] } } as const;

describe("post-training quantization of the zoo", () => {
  const names = Object.keys(zoo).filter((name) => name !== "mobilenet-v2");
  it.each(names)("%s keeps its outputs in int8 and int16", (name) => {
    const graph = zooNetwork(name, name in small ? small[name as keyof typeof small] : {});
    const samples = samplesOf(graph, 3, 7);
    const ratios = (["int8", "int16"] as const).map((activations) => {
      const { graph: integer, floating } = quantized(graph, { activations });
      expect(floating).toEqual([]);
      expect(integer.nodes.map((n) => n.op)).toEqual(expect.arrayContaining(["QUANTIZE", "DEQUANTIZE"]));
      return signalToNoise(graph, integer, samples);
    });
    // Weights are random and have 8 bits either way, so this is far from what trained networks give.
    expect(ratios[0]).toBeGreaterThan(14);
    expect(ratios[1]).toBeGreaterThan(Math.max(18, (ratios[0] as number) - 3));
  });

  it("takes int4 weights for the layers that are named", () => {
    const graph = zooNetwork("ds-cnn");
    const ratio = (layers: RegExp) =>
      signalToNoise(
        graph,
        quantized(graph, { weightBits: (name) => (layers.test(name) ? 4 : 8) }).graph,
        samplesOf(graph, 3, 7),
      );
    const [none, few, all] = [ratio(/^$/), ratio(/pointwise/), ratio(/./)] as [number, number, number];
    expect(none).toBeGreaterThan(few + 3);
    expect(few).toBeGreaterThan(all);
    expect(all).toBeGreaterThan(5);
  });
});

describe("quantization", () => {
  const net = (build: (net: Network, x: Value) => Value): Graph => {
    const network = new Network("parts");
    return network.graph([build(network, network.input([8, 8, 3]))]);
  };

  it("gives what is joined or moved one scale, and fixed scales where operators have them", () => {
    const graph = net((n, x) => {
      const a = n.conv(x, 4);
      return n.concat([n.maxPool(a), n.activation(n.averagePool(n.conv(x, 4, { activation: "none" })), "sigmoid")]);
    });
    const { graph: integer } = quantized(graph);
    const join = integer.nodes.find((n) => n.op === "CONCATENATION");
    const scales = [...(join?.inputs ?? []), ...(join?.outputs ?? [])].map(
      (id) => tensorOf(integer, id as never).quant?.scales[0],
    );
    expect(new Set(scales)).toEqual(new Set([1 / 256]));
  });

  it("keeps operators without an integer kernel in float, and says which", () => {
    const network = new Network("halves");
    const x = network.input([4, 4, 2]);
    const y = network.conv(x, 3, { activation: "none" });
    const graph = network.graph([network.activation(y, "elu"), network.activation(y, "tanh")]);
    expect(quantized(graph).floating).toEqual([]);
    const { graph: integer, floating } = quantized(graph, { activations: "int16" });
    expect(floating.map((n) => n.op)).toEqual(["ELU"]);
    expect(integer.nodes.map((n) => n.op)).toEqual(["QUANTIZE", "CONV_2D", "DEQUANTIZE", "ELU", "TANH", "DEQUANTIZE"]);
    expect(signalToNoise(graph, integer, samplesOf(graph, 2, 3))).toBeGreaterThan(30);
  });

  it("corrects biases for what rounding does on average", () => {
    const graph = zooNetwork("ds-cnn");
    const ratios = (["on", "off"] as const).map((biasCorrection) =>
      signalToNoise(graph, quantized(graph, { weightBits: 4, biasCorrection }).graph, samplesOf(graph, 4, 7)),
    ) as [number, number];
    expect(ratios[0]).toBeGreaterThan(ratios[1] + 1);
  });

  it("survives layers that are dead and biases that are huge", () => {
    const graph = net((n, x) => n.dense(n.conv(x, 4, { norm: "none" }), 5));
    const tensors = new Map(graph.tensors);
    for (const [id, t] of graph.tensors) {
      if (t.name === "conv/weights") tensors.set(id, { ...t, data: new Float32Array(elementsOf(t.shape)) });
      if (t.name === "conv/bias") tensors.set(id, { ...t, data: new Float32Array([1e6, -1e6, 0, 1e-6]) });
    }
    const dead = { ...graph, tensors };
    expect(signalToNoise(dead, quantized(dead).graph, samplesOf(dead, 2, 3))).toBeGreaterThan(30);
  });

  it("refuses what is quantized already, missing data, and data that is not a number", () => {
    const graph = net((n, x) => n.conv(x, 4));
    expect(() => quantizeModel(modelOf(quantized(graph).graph), [])).toThrow(/TH7002/);
    expect(() => quantizeModel(modelOf(graph), [])).toThrow(/TH7003/);
    const bad = samplesOf(graph, 1, 1).map(([x]) => [(x as Float32Array).fill(Number.NaN, 0, 1)]);
    expect(() => quantizeModel(modelOf(graph), bad)).toThrow(/TH7004[\s\S]*"input"/);
  });
});
