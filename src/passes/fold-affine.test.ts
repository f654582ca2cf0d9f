import { describe, expect, it } from "vitest";
import type { TensorData } from "../base/dtype.js";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { tensorOf } from "../ir/graph.js";
import { Network } from "../nets/network.js";
import { type Graph, modelOf } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { runPipeline } from "./pipeline.js";

/** A graph whose normalisations have statistics as training leaves them. */
function trained(graph: Graph): Graph {
  const random = seededRandom(3);
  const tensors = new Map(graph.tensors);
  for (const [id, t] of graph.tensors) {
    const of = /\/norm\/(gamma|beta|mean|variance)$|^norm\/(gamma|beta|mean|variance)$/.exec(t.name);
    if (!of) continue;
    const isPositive = /gamma|variance/.test(t.name);
    const data = Float32Array.from({ length: elementsOf(t.shape) }, () => random.unit() + (isPositive ? 0.2 : -0.5));
    tensors.set(id, { ...t, data: data as TensorData });
  }
  return { ...graph, tensors };
}

const outputs = (graph: Graph): Float32Array => {
  const random = seededRandom(9);
  const input = tensorOf(graph, graph.inputs[0] as never);
  const data = new Float32Array(elementsOf(input.shape)).map(() => random.normal());
  return createSession({ main: graph, subgraphs: [] }).invoke([data])[0] as Float32Array;
};

describe("batch normalisation", () => {
  it("becomes part of convolutions, depthwise convolutions and dense layers", () => {
    const net = new Network("norms");
    const x = net.depthwise(net.conv(net.input([6, 6, 3]), 5), { multiplier: 2 });
    const graph = trained(net.graph([net.dense(net.globalPool(x), 4, { norm: "batch", activation: "relu" })]));
    const folded = runPipeline(modelOf(graph), { check: "each" });
    expect(folded.nodes.map((n) => n.op)).toEqual(["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED"]);
    const [want, found] = [outputs(graph), outputs(folded)];
    found.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i] as number, 4);
    });
  });

  it("stays where its input has other readers, or comes from no layer with weights", () => {
    const net = new Network("norms");
    const x = net.conv(net.input([6, 6, 3]), 5, { norm: "none", activation: "none" });
    const graph = trained(net.graph([net.add(net.batchNorm(x), net.batchNorm(net.maxPool(x, { size: 1 })))]));
    const folded = runPipeline(modelOf(graph), { check: "each" });
    expect(folded.nodes.filter((n) => n.op === "BATCH_NORMALIZATION")).toHaveLength(2);
    expect(outputs(folded)).toEqual(outputs(graph));
  });
});
