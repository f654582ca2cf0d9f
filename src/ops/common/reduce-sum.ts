import type { DType } from "../../base/dtype.js";
import { elementsOf, rangeOf } from "../../base/dtype.js";
import { clamp, type QuantizedMultiplier, quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import type { Emitter } from "../gradient.js";
import type { CValue } from "../spec.js";
import { broadcast, reshape, scale } from "./gradients.js";
import type { ReduceAttrs, ReduceFinish } from "./reduce.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "./view.js";

/** SUM and MEAN, which differ by a factor. Integer types as TFLM's reference_ops::QuantizedMeanOrSum. */
export type SumKind = "sum" | "mean";

/**
 * The rescaling of a sum of `count` elements. For a mean, the count is divided out of the multiplier: shifted left by
 * the count's magnitude first, then truncated.
 */
export function sumMultiplier(kind: SumKind, factor: number, count: number): QuantizedMultiplier {
  const { multiplier, shift } = quantizeMultiplier(factor);
  if (kind === "sum") return { multiplier, shift };
  const extra = Math.min(31 - Math.clz32(count), 31 + shift);
  return { multiplier: Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count)), shift: shift - extra };
}

const factorOf = (view: NodeView<ReduceAttrs>): number => scaleOf(inputOf(view, 0)) / scaleOf(outputOf(view, 0));

/** What the two have in common for the family of reductions. */
export const sumReduction = (kind: SumKind) => ({
  keepsQuantization: false,
  /** Sums, less their zero points, are 32 bits wide. */
  most: { int8: 2 ** 23 - 1, int16: 2 ** 16 - 1 },
  start: () => 0,
  add: (sum: number, element: number) => sum + element,
  finish: (view: NodeView<ReduceAttrs>, count: number): ReduceFinish => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    if (input.dtype === "float32") return (sum) => (kind === "mean" ? sum / count : sum);
    const { multiplier, shift } = sumMultiplier(kind, factorOf(view), count);
    const range = rangeOf(output.dtype);
    return (sum) =>
      clamp(
        requantize(sum - zeroPointOf(input) * count, multiplier, shift) + zeroPointOf(output),
        range.min,
        range.max,
      );
  },
  gradient: (e: Emitter, view: NodeView<ReduceAttrs>, kept: readonly number[], dy: Tensor): Tensor => {
    const { shape } = inputOf(view, 0);
    const share = kind === "sum" ? dy : scale(e, dy, elementsOf(kept) / elementsOf(shape));
    return broadcast(e, reshape(e, share, kept), shape);
  },
  /** The requantization is monotone unless its left shift wraps around. */
  isMonotone: (view: NodeView<ReduceAttrs>, count: number): boolean => {
    const { min, max } = rangeOf(inputOf(view, 0).dtype);
    const { shift } = sumMultiplier(kind, factorOf(view), count);
    return (max - min) * count * 2 ** Math.max(shift, 0) < 2 ** 31;
  },
  kernels: (["int8", "int16", "float32"] as const).map((dtype: DType) => {
    const suffix = { int8: "s8", int16: "s16" }[dtype as string] ?? "f32";
    return {
      dtype,
      source: `ops/common/th_reduce_sum_${suffix}.h`,
      symbol: `th_reduce_sum_${suffix}`,
      params: dtype === "float32" ? "th_reduce_sum_f32_params" : "th_reduce_sum_params",
      foldBytes: 4,
      ...(dtype === "int8" ? { dsp: true as const, helium: true as const } : {}),
    };
  }),
  fields: (view: NodeView<ReduceAttrs>, count: number): Record<string, CValue> => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    if (input.dtype === "float32") return { divisor: { float: kind === "mean" ? count : 1 } };
    const range = rangeOf(output.dtype);
    return {
      in_zero_sum: zeroPointOf(input) * count,
      out_zero: zeroPointOf(output),
      ...sumMultiplier(kind, factorOf(view), count),
      min: range.min,
      max: range.max,
    };
  },
});
