import type { DType } from "../../../base/dtype.js";
import type { Quantization, Tensor } from "../../../ir/graph.js";
import type { OpName } from "../../../ops/index.js";
import type { GraphBuilder } from "./builder.js";

/** Attributes of arithmetic without an activation. */
export const noActivation = { activation: "NONE" } as const;

/** Attributes of each operator of two numbers. */
export const binaryAttrs = {
  ADD: { ...noActivation, potScaleInt16: false },
  SUB: { ...noActivation, potScaleInt16: false },
  MUL: noActivation,
  DIV: noActivation,
  POW: {},
  FMOD: {},
  FLOOR_MOD: {},
  MINIMUM: {},
  MAXIMUM: {},
  SQUARED_DIFFERENCE: {},
  EQUAL: {},
  NOT_EQUAL: {},
  GREATER: {},
  GREATER_EQUAL: {},
  LESS: {},
  LESS_EQUAL: {},
  LOGICAL_AND: {},
  LOGICAL_OR: {},
  LOGICAL_XOR: {},
} as const satisfies Partial<Record<OpName, object>>;

export type BinaryName = keyof typeof binaryAttrs;

const comparisons: ReadonlySet<string> = new Set([
  "EQUAL",
  "NOT_EQUAL",
  "GREATER",
  "GREATER_EQUAL",
  "LESS",
  "LESS_EQUAL",
  "LOGICAL_AND",
  "LOGICAL_OR",
  "LOGICAL_XOR",
]);

/** Two tensors, or a tensor and a number of its type, combined element by element. */
export function binary(
  b: GraphBuilder,
  op: BinaryName,
  left: Tensor | number,
  right: Tensor | number,
  quant: Quantization | null = null,
): Tensor {
  const dtype: DType = typeof left !== "number" ? left.dtype : typeof right !== "number" ? right.dtype : "float32";
  const tensor = (x: Tensor | number): Tensor => (typeof x === "number" ? b.scalar(x, dtype) : x);
  const output = comparisons.has(op) ? { dtype: "bool" as const } : { dtype, quant };
  return b.emit(op, [tensor(left), tensor(right)], binaryAttrs[op], output);
}

/** A function of one float. */
export const unary = (b: GraphBuilder, op: OpName, x: Tensor, quant: Quantization | null = null): Tensor =>
  b.emit(op, [x], {}, { quant });

/** A conversion; a tensor of the type already is itself. */
export const castTo = (b: GraphBuilder, x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : b.emit("CAST", [x], {}, { dtype });

/** Chooses elements by a condition. */
export const select = (b: GraphBuilder, condition: Tensor, yes: Tensor, no: Tensor): Tensor =>
  b.emit("SELECT_V2", [condition, yes, no], {}, { dtype: yes.dtype, quant: yes.quant });

export type ReductionName = "SUM" | "MEAN" | "REDUCE_MAX" | "REDUCE_MIN" | "REDUCE_PROD";

/** True if axes lie in at most two groups side by side, which is what a kernel takes. */
function isSimple(shape: readonly number[], axes: readonly number[]): boolean {
  const kinds = shape.flatMap((n, d) => (n === 1 ? [] : [axes.includes(d)]));
  const groups = kinds.filter((reduced, i) => reduced && !kinds[i - 1]).length;
  return groups <= 2;
}

/** A reduction over axes, not negative; by one axis after another where they lie too far apart. */
export function reduce(
  b: GraphBuilder,
  op: ReductionName,
  x: Tensor,
  axes: readonly number[],
  keepDims: "keep" | "drop",
  quant: Quantization | null = null,
): Tensor {
  const apply = (t: Tensor, over: readonly number[], keep: "keep" | "drop"): Tensor =>
    b.emit(op, [t, b.ints(over)], { keepDims: keep === "keep" }, { quant });
  if (isSimple(x.shape, axes)) return apply(x, axes, keepDims);
  const reduced = axes.reduce((t, axis) => apply(t, [axis], "keep"), x);
  return keepDims === "keep"
    ? reduced
    : b.reshape(
        reduced,
        reduced.shape.filter((_, d) => !axes.includes(d)),
      );
}

/** The order of axes that moves axis `from` to the end. */
export const toEnd = (rank: number, from: number): readonly number[] => [
  ...Array.from({ length: rank }, (_, d) => d).filter((d) => d !== from),
  from,
];

/** The order that undoes another. */
export const inverse = (order: readonly number[]): readonly number[] => order.map((_, d) => order.indexOf(d));

/** Something done along the last axis, for another axis. */
export function alongAxis(b: GraphBuilder, x: Tensor, axis: number, apply: (t: Tensor) => Tensor): Tensor {
  const order = toEnd(x.shape.length, axis);
  return b.transpose(apply(b.transpose(x, order)), inverse(order));
}

/** 0, 1, 2 ... up to a count. */
export const countTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
