import { present } from "../../base/assert.js";
import { elementsOf, type TensorData } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import type { Emitter, GradientOf } from "../gradient.js";
import type { ExecView, Reference } from "../spec.js";
import { type Activation, floatActivationRange } from "./activation.js";
import { inputOf, outputOf } from "./view.js";

/*
 * Words that gradients are written in. All tensors are float32; shapes follow numpy's rules of broadcasting.
 */

const single = (outputs: readonly Tensor[]): Tensor => present(outputs[0], "output");

const plain = { activation: "NONE" } as const;

export const add = (e: Emitter, a: Tensor, b: Tensor): Tensor =>
  single(e.node("ADD", [a, b], { ...plain, potScaleInt16: false }));
export const sub = (e: Emitter, a: Tensor, b: Tensor): Tensor =>
  single(e.node("SUB", [a, b], { ...plain, potScaleInt16: false }));
export const mul = (e: Emitter, a: Tensor, b: Tensor): Tensor => single(e.node("MUL", [a, b], plain));
export const div = (e: Emitter, a: Tensor, b: Tensor): Tensor => single(e.node("DIV", [a, b], plain));

/** An operator of one input and one output without attributes. */
export const unary = (e: Emitter, op: string, x: Tensor): Tensor => single(e.node(op, [x], {}));

/** A number as a tensor of no axes. */
export const scalar = (e: Emitter, value: number): Tensor => e.constant([], Float32Array.of(value));
/** A vector of indices. */
export const indices = (e: Emitter, values: readonly number[]): Tensor =>
  e.constant([values.length], Int32Array.from(values));

export const scale = (e: Emitter, x: Tensor, factor: number): Tensor => mul(e, x, scalar(e, factor));
/** factor - x. */
export const minusFrom = (e: Emitter, factor: number, x: Tensor): Tensor => sub(e, scalar(e, factor), x);
export const zerosLike = (e: Emitter, t: Tensor): Tensor => e.constant(t.shape, new Float32Array(elementsOf(t.shape)));

/** 1 where `above` < x < `below`, 0 elsewhere; infinite bounds always hold. */
export const inRange = (e: Emitter, x: Tensor, above: number, below: number): Tensor =>
  single(
    e.node("IN_RANGE", [x], {
      above: Number.isFinite(above) ? above : null,
      below: Number.isFinite(below) ? below : null,
    }),
  );

/** The gradient of what an activation was given, from its result. */
export function throughActivation(e: Emitter, activation: Activation, y: Tensor, dy: Tensor): Tensor {
  if (activation === "NONE") return dy;
  const { min, max } = floatActivationRange(activation);
  return mul(e, dy, inRange(e, y, min, max));
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, d) => n === b[d]);

/** The same elements under another shape. */
export const reshape = (e: Emitter, t: Tensor, shape: readonly number[]): Tensor =>
  sameShape(t.shape, shape) ? t : single(e.node("RESHAPE", [t], { shape }));

/** Repeats a tensor along axes where it has one element, by numpy's rules. */
export const broadcast = (e: Emitter, t: Tensor, shape: readonly number[]): Tensor =>
  sameShape(t.shape, shape) ? t : single(e.node("BROADCAST_TO", [t, indices(e, shape)], {}));

/** Sums over axes that stay, with size 1. */
export function sumOver(e: Emitter, t: Tensor, axes: readonly number[]): Tensor {
  // One run of neighbouring axes at a time, which every reduction can do.
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else runs.push([axis]);
  }
  return runs.reduce((sum, run) => single(e.node("SUM", [sum, indices(e, run)], { keepDims: true })), t);
}

/** Undoes a broadcast: sums over the axes that were repeated. */
export function sumTo(e: Emitter, t: Tensor, shape: readonly number[]): Tensor {
  const more = t.shape.length - shape.length;
  const axes = [...t.shape.keys()].filter((d) => t.shape[d] !== 1 && (d < more || shape[d - more] === 1));
  return reshape(e, sumOver(e, t, axes), shape);
}

export const transpose = (e: Emitter, t: Tensor, order: readonly number[]): Tensor =>
  order.every((axis, i) => axis === i) ? t : single(e.node("TRANSPOSE", [t, indices(e, order)], {}));

export const slice = (e: Emitter, t: Tensor, begin: readonly number[], size: readonly number[]): Tensor =>
  sameShape(t.shape, size) ? t : single(e.node("SLICE", [t, indices(e, begin), indices(e, size)], {}));

/** Puts zeros around a tensor so that it begins at `begin` of the shape. */
export function padTo(e: Emitter, t: Tensor, begin: readonly number[], shape: readonly number[]): Tensor {
  if (sameShape(t.shape, shape)) return t;
  const paddings = shape.flatMap((size, d) => {
    const before = begin[d] ?? 0;
    return [before, size - before - (t.shape[d] ?? 0)];
  });
  return single(e.node("PAD", [t, e.constant([shape.length, 2], Int32Array.from(paddings))], {}));
}

export const concat = (e: Emitter, parts: readonly Tensor[], axis: number): Tensor =>
  parts.length === 1 ? present(parts[0], "part") : single(e.node("CONCATENATION", parts, { axis, ...plain }));

/** The product of two stacks of matrices, transposed where asked. */
export const matmul = (
  e: Emitter,
  a: Tensor,
  b: Tensor,
  { adjX = false, adjY = false }: { readonly adjX?: boolean; readonly adjY?: boolean } = {},
): Tensor => single(e.node("BATCH_MATMUL", [a, b], { adjX, adjY }));

/** The first upstream gradient, of an operator with one output. */
export const only = (upstream: readonly (Tensor | null)[]): Tensor => present(upstream[0], "gradient of the output");

/** The gradient of an operator of one input. */
export type UnaryGradient<A> = (
  e: Emitter,
  at: { readonly x: Tensor; readonly y: Tensor; readonly dy: Tensor; readonly attrs: A },
) => Tensor;

export const unaryGradient =
  <A>(gradient: UnaryGradient<A>): GradientOf<A> =>
  (view, upstream, e) => [
    gradient(e, { x: inputOf(view, 0), y: outputOf(view, 0), dy: only(upstream), attrs: view.attrs }),
  ];

/** The gradient of an operator of two inputs that broadcast: of each, before the sum over what was repeated. */
export type BinaryGradient = (
  e: Emitter,
  at: { readonly a: Tensor; readonly b: Tensor; readonly y: Tensor; readonly dy: Tensor },
) => readonly [Tensor, Tensor];

export const binaryGradient =
  <A>(activation: (attrs: A) => Activation, gradient: BinaryGradient): GradientOf<A> =>
  (view, upstream, e) => {
    const [a, b, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
    const dy = throughActivation(e, activation(view.attrs), y, only(upstream));
    const [da, db] = gradient(e, { a, b, y, dy });
    return [sumTo(e, da, a.shape), sumTo(e, db, b.shape)];
  };

/** The gradient of an operator whose output is input 0 under another shape. */
export const viewGradient: GradientOf<unknown> = (view, upstream, e) => [
  reshape(e, only(upstream), inputOf(view, 0).shape),
  ...view.inputs.slice(1).map(() => null),
];

/** For each output element the index of the input element that a mover copies to it. */
export function moverSources(view: NodeView<unknown>, reference: Reference<never>): Int32Array {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  // One more than the index, so that elements which nothing writes show.
  const from = Int32Array.from({ length: elementsOf(input.shape) }, (_, i) => i + 1);
  const to = new Int32Array(elementsOf(output.shape));
  const rest = view.inputs.slice(1).map((t) => t?.data ?? null);
  const exec = {
    ...view,
    inputs: [{ ...input, dtype: "int32" as const }, ...view.inputs.slice(1)],
    outputs: [{ ...output, dtype: "int32" as const }],
    in: [from, ...rest] as readonly TensorData[],
    out: [to],
    variable: () => to,
  };
  (reference as Reference<unknown>)(exec as ExecView<unknown>);
  return to.map((i) => i - 1);
}

/**
 * The gradient of any operator that copies elements of input 0 to its output by constants alone: each element's gradient
 * goes back to where it came from, and several to one add up.
 */
export const moverGradient =
  <A>(reference: Reference<A>): GradientOf<A> =>
  (view, upstream, e) => {
    const from = moverSources(view, reference as Reference<never>);
    const { shape } = inputOf(view, 0);
    const scattered = single(e.node("SCATTER_ADD", [only(upstream), e.constant([from.length], from)], { shape }));
    return [scattered, ...view.inputs.slice(1).map(() => null)];
  };

/** The gradient of a tensor taken apart along an axis; zeros for parts that the loss does not depend on. */
export const joinGradients = (
  e: Emitter,
  parts: readonly Pick<Tensor, "shape">[],
  upstream: readonly (Tensor | null)[],
  axis: number,
): Tensor =>
  concat(
    e,
    parts.map((t, i) => upstream[i] ?? e.constant(t.shape, new Float32Array(elementsOf(t.shape)))),
    axis,
  );
