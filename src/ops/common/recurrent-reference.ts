import { clamp, requantize, requantize64 } from "../../base/fixedpoint.js";
import type { ExecView } from "../spec.js";
import {
  type NarrowState,
  outputIndex,
  type RecurrentAttrs,
  type RecurrentLayer,
  recurrentInputs,
  recurrentSizes,
  stepAt,
} from "./recurrent-layer.js";
import { recurrentScales, sumLimit } from "./recurrent-scales.js";
import { asDoubles, inputOf, zeroPointOf } from "./view.js";

const at = recurrentInputs;

/** Rows of a matrix times a vector. */
function products(matrix: Float64Array, first: number, count: number, x: ArrayLike<number>, from: number, n: number) {
  const out = new Float64Array(count);
  for (let r = 0; r < count; r++) {
    let sum = 0;
    for (let i = 0, w = (first + r) * n; i < n; i++, w++) sum += (matrix[w] as number) * (x[from + i] as number);
    out[r] = sum;
  }
  return out;
}

/** Adds a part of a bias. */
function plus(sums: Float64Array, bias: Float64Array | null, first: number): Float64Array {
  if (bias !== null) for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (bias[first + i] as number);
  return sums;
}

const doubles = (view: ExecView<RecurrentAttrs>, index: number): Float64Array | null => asDoubles(view.in[index]);

/** The weights and biases of both products. */
function weightsOf(view: ExecView<RecurrentAttrs>) {
  const [weights, recurrent] = [doubles(view, at.weights), doubles(view, at.recurrent)];
  return {
    weights: weights ?? new Float64Array(0),
    recurrent: recurrent ?? new Float64Array(0),
    bias: doubles(view, at.bias),
    recurrentBias: doubles(view, at.recurrentBias),
  };
}

/** The outputs that a node gives, by what they are. */
function outputsOf(view: ExecView<RecurrentAttrs>) {
  const of = (output: "sequence" | "hidden" | "cell") =>
    view.out[outputIndex(view.attrs, output)] as Float32Array | undefined;
  return { sequence: of("sequence"), hidden: of("hidden"), cell: of("cell") };
}

/** All steps of all sequences in real numbers. States are rounded to what the outputs hold after each step, as kernels do. */
function floatReference(layer: RecurrentLayer, view: ExecView<RecurrentAttrs>): void {
  const { steps, batch, inputs, units, batchStride, stepStride } = recurrentSizes(view);
  const w = weightsOf(view);
  const [x, hidden0, cell0] = [at.data, at.hidden, at.cell].map((i) => view.in[i] as Float32Array | null | undefined);
  const peepholes = doubles(view, at.peepholes);
  const out = outputsOf(view);
  const rows = layer.gates * units;
  const { clip: limit } = view.attrs;
  const round = view.out[0] instanceof Float32Array ? Math.fround : (v: number): number => v;
  for (let n = 0; n < batch; n++) {
    const initial = (state: ArrayLike<number> | null | undefined): Float64Array =>
      Float64Array.from({ length: units }, (_, u) => state?.[n * units + u] ?? 0);
    const [hidden, cell] = [initial(hidden0), initial(cell0)];
    for (let k = 0; k < steps; k++) {
      const vector = n * batchStride + stepAt(view.attrs, steps, k) * stepStride;
      layer.step({
        units,
        attrs: view.attrs,
        given: plus(products(w.weights, 0, rows, x ?? [], vector * inputs, inputs), w.bias, 0),
        past: (first, count, state) =>
          plus(products(w.recurrent, first, count, state, 0, units), w.recurrentBias, first),
        peephole: (index) => peepholes?.[index] ?? 0,
        clip: (v) => (limit > 0 ? clamp(v, -limit, limit) : v),
        hidden,
        cell,
      });
      for (const state of [hidden, cell]) for (let u = 0; u < units; u++) state[u] = round(state[u] as number);
      out.sequence?.set(hidden, vector * units);
    }
    out.hidden?.set(hidden, n * units);
    out.cell?.set(cell, n * units);
  }
}

/** How each type takes a hidden state of Q0.15, and that times a gate of Q0.15; and how it rescales sums. */
const narrowings = {
  int8: {
    narrow: (hidden: Int16Array): NarrowState => Int8Array.from(hidden, (h) => Math.min((h + 128) >> 8, 127)),
    scale: (h: number, gate: number): number => Math.min((h * gate + 2 ** 22) >> 23, 127),
    rescale: (sum: number, multiplier: number, shift: number): number => requantize(sum | 0, multiplier, shift),
  },
  int16: {
    narrow: (hidden: Int16Array): NarrowState => hidden.slice(),
    scale: (h: number, gate: number): number => (h * gate + 2 ** 14) >> 15,
    rescale: requantize64,
  },
} as const;

/**
 * All steps of all sequences of int8 or int16. Weights are int8, symmetric, with a scale for each row or one for all; biases
 * int32 (int64) of the product's scale. Each product is summed in int32 (int64) and requantized to Q3.12, saturating at 16
 * bits; gates come from the table of TFLite's 16-bit LOGISTIC and TANH. From step to step the hidden state is kept in 16
 * bits, Q0.15; int8 layers round it to a scale of 1/128 where it is multiplied or given out.
 */
function integerReference(layer: RecurrentLayer, dtype: "int8" | "int16", view: ExecView<RecurrentAttrs>): void {
  const { steps, batch, inputs, units, batchStride, stepStride } = recurrentSizes(view);
  if (layer.integer === "none") return;
  const { step } = layer.integer;
  const { narrow, scale, rescale } = narrowings[dtype];
  const w = weightsOf(view);
  const zero = zeroPointOf(inputOf(view, at.data));
  const x = Float64Array.from(view.in[at.data] as Int8Array, (v) => v - zero);
  const out = outputsOf(view);
  const scales = recurrentScales(view);
  const sums = (values: Float64Array, m: typeof scales.input, first: number): Int32Array =>
    Int32Array.from(values, (v, i) => {
      const c = m.multipliers.length > 1 ? first + i : 0;
      return clamp(rescale(v, m.multipliers[c] as number, m.shifts[c] as number), -32768, 32767);
    });
  const limit = sumLimit(view.attrs);
  const rows = layer.gates * units;
  for (let n = 0; n < batch; n++) {
    const [hidden, cell] = [new Int16Array(units), new Int16Array(units)];
    for (let k = 0; k < steps; k++) {
      const vector = n * batchStride + stepAt(view.attrs, steps, k) * stepStride;
      step({
        units,
        attrs: view.attrs,
        given: sums(plus(products(w.weights, 0, rows, x, vector * inputs, inputs), w.bias, 0), scales.input, 0),
        past: (first, count, state) =>
          sums(
            plus(products(w.recurrent, first, count, state, 0, units), w.recurrentBias, first),
            scales.recurrent,
            first,
          ),
        narrow: () => narrow(hidden),
        scaled: (gates) => narrow(hidden).map((_, u) => scale(hidden[u] as number, gates[u] as number)),
        clip: (v) => clamp(v, -limit, limit),
        hidden,
        cell,
      });
      out.sequence?.set(narrow(hidden), vector * units);
    }
    out.hidden?.set(narrow(hidden), n * units);
  }
}

/** The definition of a recurrent layer, for float32, int8 and int16. */
export function recurrentReference(layer: RecurrentLayer, view: ExecView<RecurrentAttrs>): void {
  const { dtype } = inputOf(view, at.data);
  if (dtype === "int8" || dtype === "int16") integerReference(layer, dtype, view);
  else floatReference(layer, view);
}
