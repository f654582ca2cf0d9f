import { describe, expect, it } from "vitest";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { tensorOf } from "../ir/graph.js";
import { Network } from "../nets/network.js";
import { zooNetwork } from "../nets/zoo.js";
import type { Graph, Node } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { assignQuantization } from "./assign.js";
import { observe, type SampleInputs } from "./calibrate.js";
import { convert } from "./convert.js";
import { fakeQuantized, learnedQuantization } from "./fake.js";
import { prepare } from "./quantize.js";

const samplesOf = (graph: Graph, count: number, seed: number): readonly SampleInputs[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    graph.inputs.map((id) => new Float32Array(elementsOf(tensorOf(graph, id).shape)).map(() => random.normal())),
  );
};

/** Several kinds of layers, joins and moves. */
function mixed(): Graph {
  const net = new Network("mixed");
  const x = net.conv(net.input([8, 8, 3]), 6);
  const y = net.residual(x, (v) => net.pointwise(net.depthwise(v), 6, { activation: "none" }), "relu");
  const z = net.concat([net.maxPool(y), net.averagePool(y), net.activation(net.maxPool(x), "sigmoid")]);
  return net.graph([net.dense(net.globalPool(net.conv(z, 8, { stride: 2, activation: "hard-swish" })), 5)]);
}

/** A layer that gives its states to another, which goes backward. */
function stacked(): Graph {
  const net = new Network("stacked");
  const x = net.lstm(net.input([12, 6]), 10, { returns: "sequence" });
  return net.graph([net.dense(net.gru(x, 9, { direction: "backward" }), 4)]);
}

const graphs: Readonly<Record<string, () => Graph>> = {
  mixed,
  "ds-cnn": () => zooNetwork("ds-cnn"),
  tcn: () => zooNetwork("tcn"),
  "gru-kws": () => zooNetwork("gru-kws", { width: 0.3 }),
  stacked,
};

describe("fake quantization", () => {
  it.each(
    Object.keys(graphs).flatMap((name) => [
      [name, 8],
      [name, 4],
    ]) as readonly (readonly [string, 4 | 8])[],
  )("of %s with %i bits is what the integer network computes, up to rounding", (name, bits) => {
    const float = prepare({ main: (graphs[name] as () => Graph)(), subgraphs: [] } as never);
    const quantizations = assignQuantization(float, observe(float, samplesOf(float, 8, 1)), "int8", "min-max");
    const choices = { activations: "int8", weightBits: () => bits } as const;
    const faked = fakeQuantized(float, quantizations, choices);
    const learned = learnedQuantization(faked.graph);
    expect(learned.graph.nodes.map((n: Node) => n.op)).toEqual(float.nodes.map((n) => n.op));
    for (const [id, quant] of quantizations) {
      if (learned.graph.tensors.get(id)?.data !== null) continue;
      const found = learned.quantizations.get(id);
      expect(found?.zeroPoints).toEqual(quant.zeroPoints);
      expect((found?.scales[0] as number) / (quant.scales[0] as number)).toBeCloseTo(1, 5);
    }
    const { graph: integer } = convert(learned.graph, learned.quantizations, {
      ...choices,
      weightScales: learned.weightScales,
    });
    const scale = quantizations.get(float.outputs[0] as never)?.scales[0] ?? 1;
    const [a, b, c] = [faked.graph, integer, float].map((main) => createSession({ main, subgraphs: [] }));
    let [sum, count, away] = [0, 0, 0];
    for (const inputs of samplesOf(float, 5, 9)) {
      const [want, found, real] = [a, b, c].map((s) => s?.invoke(inputs)[0] as Float32Array);
      want?.forEach((v, i) => {
        sum += Math.abs(v - (found?.[i] as number)) / scale;
        away += Math.abs(v - (real?.[i] as number)) / scale;
        count++;
      });
    }
    // Rounding twice instead of once moves a value by a step now and then; quantization itself moves it by more.
    expect(sum / count).toBeLessThan(1.5);
    expect(sum).toBeLessThan(0.7 * away);
  });

  it("keeps scales that operators fix out of training", () => {
    const net = new Network("fixed");
    const x = net.conv(net.input([4, 4, 2]), 3, { activation: "none" });
    const float = prepare({ main: net.graph([net.activation(x, "sigmoid")]), subgraphs: [] } as never);
    const quantizations = assignQuantization(float, observe(float, samplesOf(float, 2, 1)), "int8", "mse");
    const faked = fakeQuantized(float, quantizations, { activations: "int8", weightBits: () => 8 });
    expect([...faked.fixed].map((id) => tensorOf(faked.graph, id).name)).toEqual(["sigmoid/log-scale"]);
  });
});
