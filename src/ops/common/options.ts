import type { Tensor } from "../../ir/graph.js";
import type { OptionField, TfliteBinding } from "../spec.js";

/** A field of an options table under construction: int32 unless said otherwise. */
export const int32 = (name: string, fallback = 0): OptionField => [name, "int32", fallback];
export const int8 = (name: string, fallback = 0): OptionField => [name, "int8", fallback];
export const bool = (name: string): OptionField => [name, "bool", false];
export const float = (name: string): OptionField => [name, "float", 0];

/** The options of an operator that has none. */
export const noOptions = { tag: 0, fields: [] } as const;

/** The attributes of an operator that has none. */
export type Empty = Record<string, never>;

/** TFLite's form of an operator without options: `tag` is the union tag of its empty table, or 0. */
export const emptyBinding = (builtin: number, maxVersion: number, tag: number): TfliteBinding<Empty> => ({
  builtin,
  maxVersion,
  options: { ...noOptions, tag },
  decode: () => ({}),
  encode: () => ({}),
});

/** TensorType.INT32 of TFLite's schema. */
const int32Type = 2;

/**
 * `quantized_bias_type`, by which TFLite's 16x8 kernels tell an int32 bias (and sums) from the int64 ones they expect
 * otherwise; TFLM's look at the bias itself. 0 is "not said".
 */
export const biasTypeOption = (input: Tensor, bias: Tensor | null): number =>
  input.dtype === "int16" && bias?.dtype === "int32" ? int32Type : 0;
