import { elementsOf, makeData, rangeOf, type TensorData } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import { type ChannelRanges, channelCount, type RangesOf } from "../channels.js";
import type { ExecView, Reference } from "../spec.js";
import { inputOf, outputOf } from "./view.js";

/** True for the element types that have ranges. */
export const hasRanges = ({ dtype }: Pick<Tensor, "dtype">): boolean => dtype === "int8" || dtype === "int16";

/** The same bounds for `count` channels. */
export const evenRanges = (count: number, low: number, high: number): ChannelRanges => ({
  low: new Int32Array(count).fill(low),
  high: new Int32Array(count).fill(high),
});

/** Maps each channel's bounds; `map` gives the new ones. */
export function mapRanges(
  { low, high }: ChannelRanges,
  map: (low: number, high: number, channel: number) => readonly [low: number, high: number],
): ChannelRanges {
  const mapped = Array.from(low, (l, c) => map(l, high[c] as number, c));
  return { low: Int32Array.from(mapped, ([l]) => l), high: Int32Array.from(mapped, ([, h]) => h) };
}

/** The least and the most of each column of rows of `channels` integers. */
export function columnRanges(data: ArrayLike<number>, channels: number): ChannelRanges {
  const [low, high] = [new Int32Array(channels).fill(2 ** 31 - 1), new Int32Array(channels).fill(-(2 ** 31))];
  for (let i = 0; i < data.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      const value = data[i + c] as number;
      if (value < (low[c] as number)) low[c] = value;
      if (value > (high[c] as number)) high[c] = value;
    }
  }
  return { low, high };
}

/** Runs an operator's own reference on tensors of other shapes than the node's. */
function probe<A>(
  view: NodeView<A>,
  reference: Reference<A>,
  inputs: readonly (readonly [shape: readonly number[], data: TensorData])[],
  outShape: readonly number[],
): TensorData {
  const output = outputOf(view, 0);
  const out = makeData(output.dtype, elementsOf(outShape));
  reference({
    ...view,
    inputs: inputs.map(([shape], i) => ({ ...inputOf(view, i), shape })),
    outputs: [{ ...output, shape: outShape }],
    in: inputs.map(([, data]) => data),
    out: [out],
    variable: () => out,
  } satisfies ExecView<A>);
  return out;
}

/**
 * Ranges of an operator that maps every int8 element on its own: the least and the most of its table over the interval.
 * A table of 65,536 for int16 would cost more than it finds.
 */
export const tableRanges =
  <A>(reference: Reference<A>): RangesOf<A> =>
  (view, [input]) => {
    const [from, to] = [inputOf(view, 0), outputOf(view, 0)];
    if (!input || from.dtype !== "int8" || !hasRanges(to) || to.quant?.scales.length !== 1) return null;
    const all = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    const table = probe(view, reference, [[[256], all]], [256]) as Int16Array;
    const known = new Map<number, readonly [number, number]>();
    const extremes = (low: number, high: number): readonly [number, number] => {
      const key = low * 256 + high;
      const found = known.get(key) ?? overInterval(table, low + 128, high + 128);
      known.set(key, found);
      return found;
    };
    return [mapRanges(input, extremes)];
  };

function overInterval(table: Int16Array, first: number, last: number): readonly [number, number] {
  let [low, high] = [table[first] as number, table[first] as number];
  for (let i = first + 1; i <= last; i++) {
    low = Math.min(low, table[i] as number);
    high = Math.max(high, table[i] as number);
  }
  return [low, high];
}

/**
 * Ranges of a binary operator, from its reference at the four corners of each channel's two intervals. That is exact where
 * the operator is monotone in each argument for any fixed value of the other one (rising or falling: sums, extremes, and
 * products, which are linear in each): whatever the arguments, moving one and then the other to an end of its interval
 * never comes nearer. `isMonotone` says whether that holds for a node, whose rescaling may wrap around.
 */
export const cornerRanges =
  <A>(reference: Reference<A>, isMonotone: (view: NodeView<A>) => boolean = () => true): RangesOf<A> =>
  (view, [a, b]) => {
    const output = outputOf(view, 0);
    if (!a || !b || !hasRanges(output) || !isMonotone(view)) return null;
    const channels = channelCount(output);
    const corners = (r: ChannelRanges, bit: 1 | 2, dtype: Tensor["dtype"]) => {
      const count = r.low.length;
      const data = makeData(dtype, 4 * count);
      for (const k of [0, 1, 2, 3]) (data as Int16Array).set((k & bit) === 0 ? r.low : r.high, k * count);
      return [[4, count], data] as const;
    };
    const inputs = [corners(a, 1, inputOf(view, 0).dtype), corners(b, 2, inputOf(view, 1).dtype)];
    return [columnRanges(probe(view, reference, inputs, [4, channels]) as Int16Array, channels)];
  };

/**
 * Ranges of an operator that copies elements of its inputs to its outputs: its reference, run on the numbers of channels
 * instead of their values, shows which channels each output channel takes.
 */
export const movedRanges =
  <A>(reference: Reference<A>): RangesOf<A> =>
  (view, inputs) => {
    if (!view.outputs.every(hasRanges)) return null;
    let next = 0;
    const bounds: (readonly [number, number])[] = [];
    const tagged = view.inputs.map((t, i): TensorData | null => {
      const range = inputs[i];
      if (t === null || !range) return t?.data ?? null;
      const [base, count] = [next, range.low.length];
      next += count;
      for (let c = 0; c < count; c++) bounds.push([range.low[c] as number, range.high[c] as number]);
      return Int32Array.from({ length: elementsOf(t.shape) }, (_, e) => base + (e % count));
    });
    const out = view.outputs.map((t) => new Int32Array(elementsOf(t.shape)));
    reference({ ...view, in: tagged, out, variable: () => new Int32Array(0) });
    return view.outputs.map((t, i) => hullOf(out[i] as Int32Array, channelCount(t), bounds));
  };

/** For each channel of a tensor of tags, the hull of the bounds of all tags in it. */
function hullOf(tags: Int32Array, channels: number, bounds: readonly (readonly [number, number])[]): ChannelRanges {
  const lows = tags.map((tag) => bounds[tag]?.[0] ?? 0);
  const highs = tags.map((tag) => bounds[tag]?.[1] ?? 0);
  return { low: columnRanges(lows, channels).low, high: columnRanges(highs, channels).high };
}

/** Ranges of an operator each of whose output elements lies among the input's of its channel, after `limits`. */
export const withinRanges =
  <A>(limits: (view: NodeView<A>) => { readonly min: number; readonly max: number }): RangesOf<A> =>
  (view, [input]) => {
    if (!input || !hasRanges(outputOf(view, 0))) return null;
    const { min, max } = limits(view);
    const clamp = (value: number): number => Math.min(Math.max(value, min), max);
    return [mapRanges(input, (low, high) => [clamp(low), clamp(high)])];
  };

/** The whole of a tensor's element type. */
export const wholeRange = (tensor: Tensor): ChannelRanges => {
  const { min, max } = rangeOf(tensor.dtype);
  return evenRanges(channelCount(tensor), min, max);
};
