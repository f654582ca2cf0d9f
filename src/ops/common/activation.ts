import type { Report } from "../../base/diagnostics.js";
import { rangeOf } from "../../base/dtype.js";
import { clamp, roundAway } from "../../base/fixedpoint.js";
import type { TensorType } from "../../ir/graph.js";
import { scaleOf, zeroPointOf } from "./view.js";

/** An activation that an operator applies to its result. */
export type Activation = "NONE" | "RELU" | "RELU_N1_TO_1" | "RELU6";

const names: readonly Activation[] = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"];

/** TFLite's ActivationFunctionType as an Activation; TANH and SIGN_BIT are reported. */
export function decodeActivation(code: unknown, report: Report): Activation {
  const name = names[Number(code)];
  if (name !== undefined) return name;
  report("TH2007", {
    message: "unsupported fused activation",
    found: `ActivationFunctionType ${String(code)}`,
    expected: "NONE, RELU, RELU_N1_TO_1 or RELU6",
    fix: "use a separate activation operator",
  });
  return "NONE";
}

/** The inverse of {@link decodeActivation}. */
export const encodeActivation = (activation: Activation): number => names.indexOf(activation);

const bounds: Record<Activation, readonly [number, number]> = {
  NONE: [-Infinity, Infinity],
  RELU: [0, Infinity],
  RELU_N1_TO_1: [-1, 1],
  RELU6: [0, 6],
};

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Limits a value to a range. */
export const limit = (value: number, { min, max }: Range): number => (value < min ? min : value > max ? max : value);

/** The real interval an activation limits its result to. */
export const floatActivationRange = (activation: Activation): Range => ({
  min: bounds[activation][0],
  max: bounds[activation][1],
});

/**
 * The quantized interval of an activation at the output's scale and zero point, within the output type's range.
 * Source: TFLite's CalculateActivationRangeQuantized, which divides in float32.
 */
export function quantizedActivationRange(activation: Activation, output: TensorType): Range {
  const type = rangeOf(output.dtype);
  const quantize = (bound: number, unbounded: number): number =>
    Number.isFinite(bound)
      ? clamp(zeroPointOf(output) + roundAway(Math.fround(bound / scaleOf(output))), type.min, type.max)
      : unbounded;
  return { min: quantize(bounds[activation][0], type.min), max: quantize(bounds[activation][1], type.max) };
}
