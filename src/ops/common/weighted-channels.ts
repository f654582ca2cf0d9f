import { rangeOf } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import { type ChannelRanges, type ChannelRule, channelCount, type KeptChannels } from "../channels.js";
import type { WindowAxis } from "../spec.js";
import { quantizedActivationRange } from "./activation.js";
import { sliceAxis } from "./channels.js";
import { hasRanges } from "./ranges.js";
import { multiplierStep } from "./requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, quantOf, scaleOf, zeroPointOf } from "./view.js";
import { multipliersOf, type Weighted, weightedFinish } from "./weighted.js";

/** Whether a tap of a window is always inside the input, never, or inside for some outputs and in the padding for others. */
export type TapReach = "inside" | "edge" | "outside";

/**
 * The sums of products that a node computes: output channel o adds, for each tap t, weights [o * outStep + t * tapStep + i]
 * times input channels firstChannel(o) + i, for i < depth.
 */
export interface Products {
  readonly outputs: number;
  readonly taps: readonly TapReach[];
  readonly depth: number;
  readonly outStep: number;
  readonly tapStep: number;
  readonly firstChannel: (output: number) => number;
}

/** The reach of each tap along an axis of `size` elements, for a window at `places` places. */
function axisReach({ stride, taps, dilation, before }: WindowAxis, size: number, places: number): readonly TapReach[] {
  return Array.from({ length: taps }, (_, tap) => {
    const inside = Array.from({ length: places }, (_, at) => at * stride - before + tap * dilation).filter(
      (place) => place >= 0 && place < size,
    ).length;
    return inside === places ? "inside" : inside === 0 ? "outside" : "edge";
  });
}

/** The reach of each tap of a two-dimensional window over an NHWC image, row by row. */
export function tapReaches(
  axes: { readonly rows: WindowAxis; readonly columns: WindowAxis },
  input: readonly number[],
  output: readonly number[],
): readonly TapReach[] {
  const rows = axisReach(axes.rows, input[1] ?? 0, output[1] ?? 0);
  const columns = axisReach(axes.columns, input[2] ?? 0, output[2] ?? 0);
  return rows.flatMap((r) =>
    columns.map((c) =>
      r === "outside" || c === "outside" ? "outside" : r === "edge" || c === "edge" ? "edge" : "inside",
    ),
  );
}

/** Bounds of an output channel's sum: products of a weight and an interval, whole taps of which may be padding. */
function sumBounds(p: Products, weights: ArrayLike<number>, weightsZero: number, x: ChannelRanges, o: number) {
  const first = p.firstChannel(o);
  let [low, high] = [0, 0];
  p.taps.forEach((reach, t) => {
    if (reach === "outside") return;
    const at = o * p.outStep + t * p.tapStep;
    let [tapLow, tapHigh] = [0, 0];
    for (let i = 0; i < p.depth; i++) {
      const w = (weights[at + i] as number) - weightsZero;
      const [a, b] = [w * (x.low[first + i] as number), w * (x.high[first + i] as number)];
      tapLow += w < 0 ? b : a;
      tapHigh += w < 0 ? a : b;
    }
    low += reach === "edge" ? Math.min(tapLow, 0) : tapLow;
    high += reach === "edge" ? Math.max(tapHigh, 0) : tapHigh;
  });
  return [low, high] as const;
}

/**
 * Output ranges of sums of products: the bounds of the accumulator, put through the node's own requantization, which is
 * monotone as long as nothing wraps around. Where it might, and for 64-bit sums, the activation's limits are all there is.
 */
export function weightedRanges<A>(
  w: Weighted<A>,
  view: NodeView<A>,
  p: Products,
  input: ChannelRanges | null,
): readonly (ChannelRanges | null)[] | null {
  const [weights, bias, output] = [
    inputOf(view, w.index.weights),
    optionalInput(view, w.index.bias),
    outputOf(view, 0),
  ];
  if (input === null || !hasRanges(output) || weights.data === null || (bias !== null && bias.data === null))
    return null;
  const { min, max } = quantizedActivationRange(w.activation(view.attrs), output);
  const [low, high] = [new Int32Array(p.outputs).fill(min), new Int32Array(p.outputs).fill(max)];
  if (output.dtype === "int16" && bias?.dtype !== "int32") return [{ low, high }];
  const zero = zeroPointOf(inputOf(view, w.index.input));
  const x = { low: input.low.map((v) => v - zero), high: input.high.map((v) => v - zero) };
  const finish = weightedFinish(w, view);
  const multipliers = multipliersOf(w, view);
  const biases = asDoubles(bias?.data);
  for (let o = 0; o < p.outputs; o++) {
    const sum = sumBounds(p, weights.data as Int8Array, zeroPointOf(weights), x, o);
    const [least, most] = [sum[0] + (biases?.[o] ?? 0), sum[1] + (biases?.[o] ?? 0)];
    const shift = multipliers.shifts[o * multiplierStep(multipliers)] as number;
    const room = 2 ** (31 - Math.max(shift, 0));
    if (least < -room || most >= room) continue;
    low[o] = finish(least, o);
    high[o] = finish(most, o);
  }
  return [{ low, high }];
}

/** What the removed channels of the input add to each output's sum, whatever the input of the model is. */
function foldedSums<A>(w: Weighted<A>, view: NodeView<A>, p: Products, kept: KeptChannels): Float64Array {
  const [input, weights] = [inputOf(view, w.index.input), inputOf(view, w.index.weights)];
  const data = weights.data as Int8Array;
  const staying = new Set(kept.inputs[w.index.input] ?? []);
  const sums = new Float64Array(p.outputs);
  for (let c = 0; c < channelCount(input); c++) {
    if (staying.has(c)) continue;
    const value = kept.value(w.index.input, c) - zeroPointOf(input);
    if (value === 0) continue;
    for (let o = 0; o < p.outputs; o++) {
      for (let t = 0; t < p.taps.length; t++) {
        const weight = (data[o * p.outStep + t * p.tapStep + c] as number) - zeroPointOf(weights);
        sums[o] = (sums[o] as number) + weight * value;
      }
    }
  }
  return sums;
}

/** A bias that adds nothing, at the scale of the sums. */
function zeroBias<A>(w: Weighted<A>, view: NodeView<A>, length: number): Omit<Tensor, "id"> {
  const { scales } = quantOf(inputOf(view, w.index.weights));
  const quant = {
    scales: scales.map((scale) => Math.fround(scale * scaleOf(inputOf(view, w.index.input)))),
    zeroPoints: scales.map(() => 0),
    axis: 0,
  };
  const data = new Int32Array(length);
  return { name: `${outputOf(view, 0).name}/bias`, shape: [length], dtype: "int32", quant, data, variable: false };
}

/** The bias of the kept outputs with what was folded added; undefined if it stays null, null if it does not fit. */
function cutBias<A>(
  w: Weighted<A>,
  view: NodeView<A>,
  outputs: readonly number[],
  folded: Float64Array | null,
): Omit<Tensor, "id"> | null | undefined {
  const bias = optionalInput(view, w.index.bias);
  const adds = folded?.some((v) => v !== 0) ?? false;
  if (bias === null && !adds) return undefined;
  const length = bias?.data?.length ?? folded?.length ?? 0;
  const flat = bias ? { ...bias, shape: [length] } : zeroBias(w, view, length);
  const cut = sliceAxis(flat, 0, outputs);
  if (!adds) return cut;
  const data = Array.from(cut.data as Int32Array, (v, k) => v + (folded?.[outputs[k] as number] ?? 0));
  const { min, max } = rangeOf("int32");
  return data.every((v) => v >= min && v <= max) ? { ...cut, data: Int32Array.from(data) } : null;
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Where the weights of an operator have their output and input channels. */
export interface WeightAxes {
  readonly output: number;
  readonly input: number;
}

/** Weights and bias are constants, so that they can be cut. */
const isCuttable = <A>(w: Weighted<A>, view: NodeView<A>): boolean => {
  const bias = optionalInput(view, w.index.bias);
  return inputOf(view, w.index.weights).data !== null && (bias === null || bias.data !== null);
};

/**
 * The rule of an operator whose every output reads every input channel. One at the zero point adds nothing, not even in
 * padding; another constant goes into the bias, unless a tap can lie in the padding, where the channel would count as zero.
 */
export function mixingRule<A>(w: Weighted<A>, view: NodeView<A>, p: Products, axes: WeightAxes): ChannelRule<A> | null {
  if (!isCuttable(w, view)) return null;
  const [input, weights] = [inputOf(view, w.index.input), inputOf(view, w.index.weights)];
  const isUnpadded = p.taps.every((reach) => reach === "inside");
  const takesBias = input.dtype === "int8" && (optionalInput(view, w.index.bias)?.dtype ?? "int32") === "int32";
  const channels = channelCount(input);
  const perChannel = (weights.shape[axes.input] ?? 0) / channels;
  return {
    ties: [],
    mixes: [w.index.input],
    folds: (_, __, value) => value === zeroPointOf(input) || (isUnpadded && takesBias),
    cut: (kept) => {
      const [outputs = []] = kept.outputs;
      const staying = kept.inputs[w.index.input] ?? [];
      const along = range(perChannel).flatMap((k) => staying.map((c) => k * channels + c));
      const bias = cutBias(w, view, outputs, takesBias ? foldedSums(w, view, p, kept) : null);
      if (bias === null) return null;
      const cut = sliceAxis(sliceAxis(weights, axes.input, along), axes.output, outputs);
      return { inputs: new Map([[w.index.weights, cut], ...(bias ? [[w.index.bias, bias] as const] : [])]) };
    },
  };
}

/** The rule of a depthwise operator: `fanOut` outputs for each input channel, with weights of their own along `axis`. */
export function depthwiseRule<A>(
  w: Weighted<A>,
  view: NodeView<A>,
  fanOut: number,
  axis: number,
): ChannelRule<A> | null {
  if (!isCuttable(w, view)) return null;
  const count = channelCount(inputOf(view, w.index.input));
  return {
    ties: [{ input: w.index.input, output: 0, from: 0, to: 0, count, fanOut }],
    mixes: [],
    folds: () => false,
    cut: (kept) => {
      const [outputs = []] = kept.outputs;
      const bias = cutBias(w, view, outputs, null);
      const weights = sliceAxis(inputOf(view, w.index.weights), axis, outputs);
      return { inputs: new Map([[w.index.weights, weights], ...(bias ? [[w.index.bias, bias] as const] : [])]) };
    },
  };
}
