/** A value branded with its unit, so that bytes and elements cannot be mixed by accident. */
declare const unit: unique symbol;
export type Branded<T, Unit extends string> = T & { readonly [unit]: Unit };

/** A tensor's identity within one graph; stable across passes. */
export type TensorId = Branded<number, "TensorId">;

/** Makes a TensorId of a plain non-negative integer. */
export const tensorId = (value: number): TensorId => value as TensorId;

/** Rounds `value` up to a multiple of `alignment` (a positive integer). */
export const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/** `12345` as `12,345`, for tables. */
export const grouped = (value: number): string => value.toLocaleString("en-US");
