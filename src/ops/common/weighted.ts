import type { NodeView, Quantization } from "../../ir/graph.js";
import type { CValue, Kernel, KernelArg, KernelCall, RowWindow, RowWindows } from "../spec.js";
import { type Activation, floatActivationRange, quantizedActivationRange } from "./activation.js";
import {
  type ChannelMultipliers,
  channelMultipliers,
  type Finish,
  floatFinish,
  multiplierArgs,
  multiplierStep,
  quantizedFinish,
} from "./requantize.js";
import { inputOf, optionalInput, outputOf, zeroPointOf } from "./view.js";

/** Where an operator with weights has its tensors. */
export interface WeightedIndex {
  readonly input: number;
  readonly weights: number;
  readonly bias: number;
}

/** What differs between the operators that sum products with weights, add a bias, and requantize by channel. */
export interface Weighted<A> {
  readonly index: WeightedIndex;
  /** `ops/depthwise_conv_2d/depthwise_conv_2d`: the headers' common path; their names give the C symbols too. */
  readonly stem: string;
  readonly activation: (attrs: A) => Activation;
  /** What kernels compute at a time: all of the output from all of the input, or a row from the rows of its window. */
  readonly form: "whole" | "row";
  /** The kernels read and write images whose pixels do not follow each other. */
  readonly pixelSteps?: true;
  /** The kernels take the output row's index, after the input. */
  readonly takesRow?: true;
  /** Fields of the params struct besides zero points, limits and `multiplier_step`. */
  readonly fields: (view: NodeView<A>) => Record<string, CValue>;
  /** Further fields of the integer struct. */
  readonly integerFields?: (view: NodeView<A>) => Record<string, CValue>;
  readonly multipliers?: (view: NodeView<A>, index: WeightedIndex) => ChannelMultipliers;
  /** The rows of a fold over the input, and the sums it keeps; null where the node is none, absent if there is no such kernel. */
  readonly folds?: (view: NodeView<A>) => { readonly rows: number; readonly sums: number } | null;
}

/** The window of the data input; weights and everything else are needed in full. */
export const dataWindow = <A>(w: Weighted<A>, view: NodeView<A>, window: RowWindow): RowWindows =>
  view.inputs.map((_, i) => (i === w.index.input ? window : null));

/** Multipliers and shifts of the output channels. */
export const multipliersOf = <A>(w: Weighted<A>, view: NodeView<A>): ChannelMultipliers =>
  w.multipliers?.(view, w.index) ??
  channelMultipliers(inputOf(view, w.index.input), inputOf(view, w.index.weights), outputOf(view, 0));

/** Turns accumulators into outputs, for the reference implementation of float and integer types alike. */
export function weightedFinish<A>(w: Weighted<A>, view: NodeView<A>): Finish {
  const input = inputOf(view, w.index.input);
  const output = outputOf(view, 0);
  const activation = w.activation(view.attrs);
  if (input.dtype === "float32") return floatFinish(floatActivationRange(activation));
  // An int16 bias is widened; only an int32 one makes the sums 32 bits.
  const wide = input.dtype === "int16" && optionalInput(view, w.index.bias)?.dtype !== "int32";
  return quantizedFinish(
    multipliersOf(w, view),
    zeroPointOf(output),
    quantizedActivationRange(activation, output),
    wide,
  );
}

function paramsOf<A>(w: Weighted<A>, view: NodeView<A>, multipliers: ChannelMultipliers | null): KernelCall["params"] {
  const name = `th_${w.stem.split("/").pop()}`;
  const activation = w.activation(view.attrs);
  const fields = w.fields(view);
  if (multipliers === null) {
    const range = floatActivationRange(activation);
    const limits = { min: { float: range.min }, max: { float: range.max } };
    return { type: `${name}_f32_params`, fields: { ...fields, ...limits } };
  }
  const range = quantizedActivationRange(activation, outputOf(view, 0));
  const quantized = {
    in_zero: zeroPointOf(inputOf(view, w.index.input)),
    out_zero: zeroPointOf(outputOf(view, 0)),
    min: range.min,
    max: range.max,
    multiplier_step: multiplierStep(multipliers),
  };
  return { type: `${name}_params`, fields: { ...fields, ...quantized, ...w.integerFields?.(view) } };
}

function callOf<A>(w: Weighted<A>, view: NodeView<A>, suffix: string): KernelCall {
  const { index } = w;
  const multipliers = suffix === "f32" ? null : multipliersOf(w, view);
  const args: KernelArg[] = [
    { kind: w.form === "row" ? "rows" : "input", index: index.input },
    ...(w.takesRow ? [{ kind: "row" } as const] : []),
    { kind: "input", index: index.weights },
    optionalInput(view, index.bias) ? { kind: "input", index: index.bias } : { kind: "null" },
    ...(multipliers ? multiplierArgs(multipliers) : []),
    { kind: "output", index: 0 },
  ];
  const stem = w.stem.split("/").pop();
  const params = paramsOf(w, view, multipliers);
  return { source: `${w.stem}_${suffix}.h`, symbol: `th_${stem}_${suffix}`, params, args, scratchBytes: 0 };
}

/** The call above, given the input's rows one after another, with its sums in scratch. */
function foldOf<A>(w: Weighted<A>, view: NodeView<A>, suffix: string, sumBytes: number): KernelCall | null {
  const fold = w.folds?.(view) ?? null;
  if (fold === null) return null;
  const call = callOf(w, view, suffix);
  const args: KernelArg[] = [
    { kind: "row" },
    ...call.args.slice(0, -1),
    { kind: "scratch" },
    { kind: "output", index: 0 },
  ];
  return { ...call, symbol: `${call.symbol}_fold`, args, scratchBytes: fold.sums * sumBytes };
}

/**
 * The portable kernels: s8, s8_w4 (int4 weights), s16 (int8 weights, int64 bias and sums), s16_b32 (int32 ones), f32.
 * Inputs other than the three (the output shape of a transposed convolution) are int32.
 */
export function weightedKernels<A>(
  w: Weighted<A>,
  suffixes: readonly ("s8" | "s8_w4" | "s16" | "s16_b32" | "f32")[],
): readonly Kernel<A>[] {
  const table = {
    s8: ["int8", "int8", "int32", 4],
    s8_w4: ["int8", "int4", "int32", 4],
    s16: ["int16", "int8", "int64", 8],
    s16_b32: ["int16", "int8", "int32", 4],
    f32: ["float32", "float32", "float32", 4],
  } as const;
  return suffixes.map((suffix): Kernel<A> => {
    const [input, weights, bias, sumBytes] = table[suffix];
    const last = Math.max(w.index.input, w.index.weights, w.index.bias);
    const typeAt = (i: number) =>
      i === w.index.input ? input : i === w.index.weights ? weights : i === w.index.bias ? bias : "int32";
    return {
      name: `portable ${suffix}`,
      form: w.form,
      ...(w.pixelSteps ? { pixelSteps: true } : {}),
      types: { inputs: Array.from({ length: last + 1 }, (_, i) => typeAt(i)), outputs: [input] },
      call: (view) => callOf(w, view, suffix),
      ...(w.folds ? { fold: (view: NodeView<A>) => foldOf(w, view, suffix, sumBytes) } : {}),
    };
  });
}

/** Symmetric weight scales for samples: `n` channels along `axis`, each a little larger than the last. */
export const sampleChannels = (n: number, scale: number, axis = 0): Quantization => ({
  scales: Array.from({ length: n }, (_, i) => Math.fround(scale * (1 + i / 7))),
  zeroPoints: new Array<number>(n).fill(0),
  axis,
});
