import type { NodeView, Tensor } from "../ir/graph.js";
import { constantOf, inputOf } from "../ops/common/view.js";
import { inverse, permuted } from "./layout-values.js";

/** A node on the sources of its permuted inputs: new attributes, new constants, and how its outputs' axes lie. */
export interface Moved {
  readonly attrs?: object;
  /** Constant inputs with other elements, by index. */
  readonly constants?: ReadonlyMap<number, readonly number[]>;
  /** The order of the outputs' axes in the new outputs. */
  readonly order: readonly number[];
}

/** What a rule sees: the node, and the order that its permuted inputs have. */
type MoveRule = (view: NodeView<object>, order: readonly number[]) => Moved | null;

const valuesAt = (view: NodeView<object>, index: number): readonly number[] => constantOf(inputOf(view, index));
const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** An order of axes after some were removed from both sides. */
function withoutAxes(order: readonly number[], removed: readonly number[]): readonly number[] {
  const kept = order.filter((_, d) => !removed.includes(d));
  const left = [...kept].sort((a, b) => a - b);
  return kept.map((axis) => left.indexOf(axis));
}

/** Reductions name the axes that the source has. */
const reduction: MoveRule = (view, order) => {
  const { keepDims } = view.attrs as { readonly keepDims: boolean };
  const axes = valuesAt(view, 1).map((axis) => positive(axis, order.length));
  const constants = new Map([[1, axes.map((axis) => order[axis] as number)]]);
  return { constants, order: keepDims ? order : withoutAxes(order, axes) };
};

const argument: MoveRule = (view, order) => {
  const axis = positive(valuesAt(view, 1)[0] ?? 0, order.length);
  return { constants: new Map([[1, [order[axis] as number]]]), order: withoutAxes(order, [axis]) };
};

/** Constants with `width` values for each axis. */
const perAxis =
  (index: number, width: number): MoveRule =>
  (view, order) => {
    const flat = valuesAt(view, index);
    const pairs = order.map((_, d) => flat.slice(width * d, width * (d + 1)));
    return { constants: new Map([[index, permuted(pairs, inverse(order)).flat()]]), order };
  };

const concatenation: MoveRule = (view, order) => {
  const attrs = view.attrs as { readonly axis: number };
  return { attrs: { ...attrs, axis: order[positive(attrs.axis, order.length)] as number }, order };
};

/** Operators along the last axis, which must stay the last. */
const alongLast: MoveRule = (_, order) => (order.at(-1) === order.length - 1 ? { order } : null);

const stridedSlice: MoveRule = (view, order) => {
  const a = view.attrs as Readonly<
    Record<"beginMask" | "endMask" | "ellipsisMask" | "newAxisMask" | "shrinkAxisMask", number>
  >;
  const isFull = valuesAt(view, 1).length === order.length;
  if (!isFull || a.ellipsisMask !== 0 || a.newAxisMask !== 0 || a.shrinkAxisMask !== 0) return null;
  const back = inverse(order);
  const mask = (bits: number): number => back.reduce((m, d, i) => m | (((bits >> d) & 1) << i), 0);
  const constants = new Map([1, 2, 3].map((i) => [i, permuted(valuesAt(view, i), back)] as const));
  return { attrs: { ...a, beginMask: mask(a.beginMask), endMask: mask(a.endMask) }, constants, order };
};

const splitV: MoveRule = (view, order) => {
  const axis = positive(valuesAt(view, 2)[0] ?? 0, order.length);
  return { constants: new Map([[2, [order[axis] as number]]]), order };
};

/** A vector of constant indices takes the place of one axis. */
const gather: MoveRule = (view, order) => {
  const attrs = view.attrs as { readonly axis: number; readonly batchDims: number };
  const indices = inputOf(view, 1) as Tensor;
  if (attrs.batchDims !== 0 || indices.shape.length !== 1 || indices.data === null) return null;
  return { attrs: { ...attrs, axis: order[positive(attrs.axis, order.length)] as number }, order };
};

/** Operators, besides those of single elements, that may be computed before a permutation of their input. */
export const moveRules: Readonly<Record<string, MoveRule>> = {
  SUM: reduction,
  MEAN: reduction,
  REDUCE_MAX: reduction,
  REDUCE_MIN: reduction,
  REDUCE_PROD: reduction,
  ARG_MAX: argument,
  ARG_MIN: argument,
  PAD: perAxis(1, 2),
  PADV2: perAxis(1, 2),
  MIRROR_PAD: perAxis(1, 2),
  TILE: perAxis(1, 1),
  CONCATENATION: concatenation,
  SOFTMAX: alongLast,
  LOG_SOFTMAX: alongLast,
  STRIDED_SLICE: stridedSlice,
  SPLIT_V: splitV,
  GATHER: gather,
};
