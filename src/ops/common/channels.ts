import type { TensorData } from "../../base/dtype.js";
import { elementsOf, makeData } from "../../base/dtype.js";
import type { NodeView, Quantization, Tensor } from "../../ir/graph.js";
import { type ChannelRule, type ChannelTie, channelCount, type NodeCut } from "../channels.js";
import { inputOf, outputOf } from "./view.js";

/** The quantization of the given indices along an axis. */
export function sliceQuantization(
  quant: Quantization | null,
  axis: number,
  kept: readonly number[],
): Quantization | null {
  if (quant === null || quant.scales.length === 1 || quant.axis !== axis) return quant;
  const pick = (values: readonly number[]): readonly number[] => kept.map((k) => values[k] ?? 0);
  return { ...quant, scales: pick(quant.scales), zeroPoints: pick(quant.zeroPoints) };
}

/** A constant with only the given indices along an axis. */
export function sliceAxis(tensor: Omit<Tensor, "id">, axis: number, kept: readonly number[]): Omit<Tensor, "id"> {
  const size = tensor.shape[axis] ?? 1;
  const inner = elementsOf(tensor.shape.slice(axis + 1));
  const shape = tensor.shape.with(axis, kept.length);
  const [from, to] = [tensor.data as Int32Array, makeData(tensor.dtype, elementsOf(shape)) as Int32Array];
  const outer = inner * size === 0 ? 0 : from.length / (inner * size);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const k of kept) {
      const start = (o * size + k) * inner;
      to.set(from.subarray(start, start + inner), at);
      at += inner;
    }
  }
  return { ...tensor, shape, data: to as TensorData, quant: sliceQuantization(tensor.quant, axis, kept) };
}

const nothing: NodeCut<never> = { inputs: new Map() };

/** A rule of ties only: no input is mixed. */
export const tiedRule = <A>(
  ties: readonly ChannelTie[],
  cut: ChannelRule<A>["cut"] = () => nothing,
): ChannelRule<A> => ({ ties, mixes: [], folds: () => false, cut });

/** Channels `from + i` of an input and `to + i` of an output, one to one. */
export const evenTie = (input: number, output: number, count: number, from = 0, to = 0): ChannelTie => ({
  input,
  output,
  from,
  to,
  count,
  fanOut: 1,
});

/**
 * The rule of an operator that computes each channel of its output from the same one of its inputs: element by element,
 * over a window, or broadcast from an input of a single channel. Constants are cut with the output.
 */
export function elementwiseChannels<A>(view: NodeView<A>): ChannelRule<A> {
  const count = channelCount(outputOf(view, 0));
  const wide = view.inputs.map((t) => t !== null && channelCount(t) === count);
  const ties = view.inputs.flatMap((t, i) => (t !== null && t.data === null && wide[i] ? [evenTie(i, 0, count)] : []));
  return tiedRule(ties, (kept) => {
    const [channels = []] = kept.outputs;
    const constants = view.inputs.flatMap((t, i): (readonly [number, Omit<Tensor, "id">])[] => {
      if (t === null || t.data === null || !wide[i] || t.shape.length === 0) return [];
      return [[i, sliceAxis(t, t.shape.length - 1, channels)]];
    });
    return { inputs: new Map(constants) };
  });
}

/** The rule of an operator with one input that is no constant of settings, whose channels are the outputs' channels. */
export const evenChannels =
  (input: number) =>
  <A>(view: NodeView<A>): ChannelRule<A> | null => {
    const count = channelCount(inputOf(view, input));
    if (view.outputs.some((t) => channelCount(t) !== count)) return null;
    return tiedRule(view.outputs.map((_, output) => evenTie(input, output, count)));
  };

/**
 * The rule of the same elements under another shape: where the last axis of one side is a multiple of the other's, channels
 * of the longer one are tied to the one of the shorter that they stem from.
 */
export function viewChannels<A>(
  view: NodeView<A>,
  reshaped: (shape: readonly number[]) => NodeCut<A>,
): ChannelRule<A> | null {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const [from, to] = [channelCount(input), channelCount(output)];
  const [short, long] = [Math.min(from, to), Math.max(from, to)];
  if (short === 0 || long % short !== 0) return null;
  const ties = Array.from({ length: long / short }, (_, k) =>
    from < to ? evenTie(0, 0, short, 0, k * short) : evenTie(0, 0, short, k * short, 0),
  );
  return tiedRule(ties, (kept) => reshaped(output.shape.with(-1, kept.outputs[0]?.length ?? 0)));
}
