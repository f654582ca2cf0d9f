import { describe, expect, it } from "vitest";
import { elementsOf, makeData, rangeOf, type TensorData } from "../base/dtype.js";
import { type Random, seededRandom } from "../base/random.js";
import { type NodeView, type Tensor, viewOf } from "../ir/graph.js";
import { type ChannelRanges, channelCount } from "../ops/channels.js";
import { columnRanges, hasRanges } from "../ops/common/ranges.js";
import { type AnyOp, type Node, operators } from "../ops/index.js";
import { sampleCase } from "../ops/sample.js";
import type { Sample } from "../ops/spec.js";
import { createSession } from "../run/interpreter.js";

const bounded = operators.filter((op) => op.ranges !== "none");

/** Intervals of random width, some of a single value, some to an end of the type. */
function randomRanges(tensor: Tensor, random: Random): ChannelRanges {
  const type = rangeOf(tensor.dtype);
  const pairs = Array.from({ length: channelCount(tensor) }, () => {
    const kind = random.integer(0, 4);
    const a = random.integer(type.min, type.max);
    const b = kind === 0 ? a : kind === 1 ? type.min : kind === 2 ? type.max : random.integer(type.min, type.max);
    return [Math.min(a, b), Math.max(a, b)] as const;
  });
  return { low: Int32Array.from(pairs, ([low]) => low), high: Int32Array.from(pairs, ([, high]) => high) };
}

/** Elements within their channel's bounds; `ends` takes only the bounds themselves. */
function within(tensor: Tensor, { low, high }: ChannelRanges, random: Random, ends: boolean): TensorData {
  const data = makeData(tensor.dtype, elementsOf(tensor.shape)) as Int16Array;
  for (let i = 0; i < data.length; i++) {
    const [l, h] = [low[i % low.length] as number, high[i % low.length] as number];
    data[i] = ends ? (random.integer(0, 1) === 0 ? l : h) : random.integer(l, h);
  }
  return data;
}

/** A sample whose outputs have scales 2^bits times finer: rescaling then shifts to the left, and out of 32 bits. */
function finer(sample: Sample<object>, bits: number): Sample<object> {
  const outputs = sample.outputs.map((o) =>
    o.quant ? { ...o, quant: { ...o.quant, scales: o.quant.scales.map((s) => s / 2 ** bits) } } : o,
  );
  return { ...sample, outputs };
}

/** Output values outside their computed bounds, for one sample and seed. */
function outside(op: AnyOp, sample: Sample<object>, seed: number): readonly string[] {
  if (op.ranges === "none") return [];
  const { graph, inputs } = sampleCase(op, sample, seed);
  const random = seededRandom(seed);
  const view = viewOf(graph, graph.nodes[0] as Node) as NodeView<object>;
  const ranges = view.inputs.map((t) => {
    if (t === null || !hasRanges(t)) return null;
    return t.data ? columnRanges(t.data as Int8Array, channelCount(t)) : randomRanges(t, random);
  });
  const found = op.ranges(view, ranges);
  const given = graph.inputs.map((id, i): TensorData => {
    const at = view.inputs.findIndex((t) => t?.id === id);
    const [tensor, bounds] = [view.inputs[at], ranges[at]];
    return tensor && bounds ? within(tensor, bounds, random, seed % 2 === 0) : (inputs[i] as TensorData);
  });
  const outputs = createSession({ main: graph, subgraphs: [] }).invoke(given);
  return outputs.flatMap((data, o) => {
    const bounds = found?.[o];
    if (!bounds) return [];
    const { low, high } = columnRanges(data as Int8Array, channelCount(view.outputs[o] as Tensor));
    const wrong = low.findIndex(
      (l, c) => l < (bounds.low[c] as number) || (high[c] as number) > (bounds.high[c] as number),
    );
    return wrong < 0 ? [] : [`${sample.name}, seed ${seed}, channel ${wrong}: [${low[wrong]}, ${high[wrong]}] outside`];
  });
}

describe("bounds of stored integers", () => {
  it.each(bounded.map((op) => [op.name, op] as const))("%s: hold for all that inputs may be", (_, op) => {
    const seeds = Array.from({ length: 24 }, (_, i) => i + 1);
    expect(op.samples.flatMap((sample) => seeds.flatMap((seed) => outside(op, sample, seed)))).toEqual([]);
  });

  it.each(["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "SUM", "MEAN"])(
    "%s: hold where rescaling wraps around",
    (name) => {
      const op = bounded.find((o) => o.name === name) as AnyOp;
      const seeds = Array.from({ length: 12 }, (_, i) => i + 1);
      const integer = op.samples.filter((s) => s.outputs[0]?.quant);
      const fine = integer.flatMap((s) => [6, 10, 14, 18, 22].map((bits) => finer(s, bits)));
      expect(fine.flatMap((sample) => seeds.flatMap((seed) => outside(op, sample, seed)))).toEqual([]);
    },
  );

  it("are found for int8 samples of every operator that says it finds some", () => {
    const finds = (op: AnyOp): boolean =>
      op.samples.some((sample) => {
        const { graph } = sampleCase(op, sample);
        const view = viewOf(graph, graph.nodes[0] as Node) as NodeView<object>;
        const ranges = view.inputs.map((t) => (t && hasRanges(t) ? randomRanges(t, seededRandom(1)) : null));
        return op.ranges !== "none" && op.ranges(view, ranges) !== null;
      });
    expect(bounded.filter((op) => !finds(op)).map((op) => op.name)).toEqual([]);
  });
});
