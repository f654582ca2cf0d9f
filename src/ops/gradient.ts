import type { TensorData } from "../base/dtype.js";
import type { NodeView, Tensor, TensorType } from "../ir/graph.js";

/** Adds nodes and constants to a graph under construction. */
export interface Emitter {
  /**
   * Emits a node and returns its outputs. Their types come from the operator's inference, or are given where that
   * wants a constant which training computes.
   */
  readonly node: (
    op: string,
    inputs: readonly (Tensor | null)[],
    attrs?: object,
    types?: readonly TensorType[],
  ) => readonly Tensor[];
  /** A constant; `data` has the shape's elements. */
  readonly constant: (shape: readonly number[], data: TensorData) => Tensor;
}

/**
 * Emits the gradients of a node's inputs, given those of its outputs: for output i the sum over the loss's derivative by
 * it, of its shape, or null where the loss does not depend on it (never for all). An entry per input; null where there is
 * no gradient, as for indices. What nobody uses of the emitted nodes is removed later.
 */
export type GradientOf<A> = (
  view: NodeView<A>,
  upstream: readonly (Tensor | null)[],
  emit: Emitter,
) => readonly (Tensor | null)[];

/** An operator that carries a state along a sequence, taken apart for training (Werbos 1990, "Backpropagation through time"). */
export interface Recurrence<A> {
  readonly steps: (view: NodeView<A>) => number;
  /** Emits the steps one after another and returns what stands for each output. Weights are the node's own tensors. */
  readonly unroll: (view: NodeView<A>, emit: Emitter) => readonly Tensor[];
}

/** Why an operator has no gradient. */
export type NoGradient =
  /** Its results are integers or handles. */
  | "integers"
  /** Its result is constant almost everywhere, or its derivative is not needed: it is part of one. */
  | "not differentiable"
  /** It keeps state between invocations. */
  | "state"
  /** Training puts its `recurrence` in its place. */
  | "unrolled"
  /** It has a gradient that nothing has needed so far. */
  | "not needed yet";
