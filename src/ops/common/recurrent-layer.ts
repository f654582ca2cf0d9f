import type { NodeView, Tensor } from "../../ir/graph.js";
import type { Emitter } from "../gradient.js";
import { inputOf, sizeAt } from "./view.js";

export interface RecurrentAttrs {
  /** Data and sequence are [steps, batch, size]; else [batch, steps, size]. */
  readonly timeMajor: boolean;
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Limit of the magnitude of what goes into an activation; 0 for none. */
  readonly clip: number;
  /** The outputs: the state of every step, that after the last, or all (of LSTM with the cell's after the last). */
  readonly returns: "all" | "sequence" | "hidden";
  /** GRU: the reset gate scales the candidate's recurrent sum, as in cuDNN and Keras, not the state before it. */
  readonly linearBeforeReset: boolean;
  /** RNN: what makes the state of the sum. */
  readonly activation: "TANH" | "RELU";
}

/** The attributes that most layers have. */
export const plainRecurrent: RecurrentAttrs = {
  timeMajor: false,
  reverse: false,
  clip: 0,
  returns: "all",
  linearBeforeReset: false,
  activation: "TANH",
};

/**
 * Inputs: data [steps, batch, inputs] (or batch first), weights [gates * units, inputs] and bias, recurrent weights
 * [gates * units, units] and their bias, states [batch, units] before the first step, peepholes [3 * units].
 */
export const recurrentInputs = {
  data: 0,
  weights: 1,
  recurrent: 2,
  bias: 3,
  recurrentBias: 4,
  hidden: 5,
  cell: 6,
  peepholes: 7,
} as const;
const at = recurrentInputs;

/** Sizes, and the distance in vectors between batches and between steps. */
export function recurrentSizes(view: NodeView<RecurrentAttrs>) {
  const { shape } = inputOf(view, at.data);
  const [first, second] = [sizeAt(shape, 0), sizeAt(shape, 1)];
  const sizes = { inputs: sizeAt(shape, 2), units: sizeAt(inputOf(view, at.recurrent).shape, 1) };
  return view.attrs.timeMajor
    ? { ...sizes, steps: first, batch: second, batchStride: 1, stepStride: second }
    : { ...sizes, steps: second, batch: first, batchStride: second, stepStride: 1 };
}

/** The step that is taken as number `k`. */
export const stepAt = (attrs: RecurrentAttrs, steps: number, k: number): number => (attrs.reverse ? steps - 1 - k : k);

/** Index of an output, or -1 where the node does not give it. */
export function outputIndex(attrs: RecurrentAttrs, output: "sequence" | "hidden" | "cell"): number {
  if (attrs.returns === "all") return ["sequence", "hidden", "cell"].indexOf(output);
  return attrs.returns === output ? 0 : -1;
}

/** What the reference of a step works on, in real numbers. */
export interface FloatStep {
  readonly units: number;
  readonly attrs: RecurrentAttrs;
  /** Weights times the input of the step, with bias: a value for each row of the weights. */
  readonly given: Float64Array;
  /** `count` rows of the recurrent weights from `first` on times a state, with bias. */
  readonly past: (first: number, count: number, state: Float64Array) => Float64Array;
  readonly peephole: (index: number) => number;
  readonly clip: (x: number) => number;
  /** The states before the step, which it replaces. */
  readonly hidden: Float64Array;
  readonly cell: Float64Array;
}

/** A hidden state of int8 layers (scale 1/128) or of int16 ones (1/32768). */
export type NarrowState = Int8Array | Int16Array;

/**
 * What the reference of a step works on, in fixed point: sums have 12 bits after the point (Q3.12), gates and the hidden
 * state 15 (Q0.15), the cell 11 (Q4.11).
 */
export interface IntegerStep {
  readonly units: number;
  readonly attrs: RecurrentAttrs;
  readonly given: Int32Array;
  readonly past: (first: number, count: number, state: NarrowState) => Int32Array;
  /** The hidden state as products and outputs take it. */
  readonly narrow: () => NarrowState;
  /** The same, each element times a gate. */
  readonly scaled: (gates: Int32Array) => NarrowState;
  /** A sum as activations take it: within the clip. */
  readonly clip: (x: number) => number;
  readonly hidden: Int16Array;
  readonly cell: Int16Array;
}

/** What the unrolling of a step works on; all tensors are [batch, ...]. */
export interface UnrolledStep {
  readonly e: Emitter;
  readonly attrs: RecurrentAttrs;
  readonly units: number;
  readonly given: Tensor;
  /** The whole recurrent weights times a state. */
  readonly past: (state: Tensor) => Tensor;
  /** The rows of the recurrent weights from `first` on times a state, in two parts. */
  readonly partsOfPast: (first: number) => readonly [(state: Tensor) => Tensor, (state: Tensor) => Tensor];
  /** A third of the peepholes [units], or null. */
  readonly peephole: (index: number) => Tensor | null;
  readonly clip: (x: Tensor) => Tensor;
  readonly hidden: Tensor;
  readonly cell: Tensor;
}

/** What sets one recurrent layer apart from another. */
export interface RecurrentLayer {
  /** In C symbols: `th_recurrent_KIND_f32`. */
  readonly kind: "lstm" | "gru" | "rnn";
  readonly gates: number;
  readonly hasCell: boolean;
  /** Vectors of `units` floats that the kernel works in. */
  readonly floatScratch: number;
  readonly step: (s: FloatStep) => void;
  readonly unroll: (s: UnrolledStep) => { readonly hidden: Tensor; readonly cell: Tensor };
  /** int8 and int16, where the layer has them: see recurrent-reference.ts. */
  readonly integer: IntegerLayer | "none";
}

/** A recurrent layer of integers. */
export interface IntegerLayer {
  readonly step: (s: IntegerStep) => void;
  /** The headers' common path. */
  readonly header: string;
  /** Vectors of `units` elements that the kernel works in: of 16 bits, and of the state's type. */
  readonly scratch: (attrs: RecurrentAttrs) => { readonly wide: number; readonly narrow: number };
}
