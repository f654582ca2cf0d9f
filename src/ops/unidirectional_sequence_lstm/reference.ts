import { rangeOf } from "../../base/dtype.js";
import { clamp, type QuantizedMultiplier, requantize, requantize64 } from "../../base/fixedpoint.js";
import { sigmoidCurve16 } from "../common/sigmoid.js";
import { inputOf, zeroPointOf } from "../common/view.js";
import type { ExecView } from "../spec.js";
import { lstmScales } from "./scales.js";
import { at, gates, type LstmAttrs, lstmSize } from "./size.js";

/** How values of one element type become gates, cell and hidden state. Gate sums come from input and hidden state. */
interface Arithmetic {
  readonly gate: (gate: number, fromInput: number, fromHidden: number) => number;
  readonly cell: (input: number, forget: number, candidate: number, cell: number) => number;
  readonly hidden: (output: number, cell: number) => number;
}

const clamp16 = (x: number): number => clamp(x, -32768, 32767);

/** Source: TFLM's lstm_eval.h (LstmStep and what it calls). */
function integerArithmetic(view: ExecView<LstmAttrs>): Arithmetic {
  const s = lstmScales(view);
  const hidden = inputOf(view, at.hidden);
  const range = rangeOf(hidden.dtype);
  const logistic = sigmoidCurve16({ multiplier: 3, shift: 0 }, "logistic");
  const candidateCurve = sigmoidCurve16({ multiplier: 3, shift: 0 }, "tanh");
  const cellCurve = sigmoidCurve16(s.tanh, "tanh");
  const product = (x: number, m: QuantizedMultiplier | undefined): number =>
    requantize(x, m?.multiplier ?? 0, m?.shift ?? 0);
  const rescale = hidden.dtype === "int8" ? requantize : requantize64;
  const sum16 = (x: number, m: QuantizedMultiplier | undefined): number =>
    clamp16(rescale(x, m?.multiplier ?? 0, m?.shift ?? 0));
  return {
    gate: (gate, fromInput, fromHidden) => {
      const sum = clamp16(sum16(fromInput, s.input[gate]) + sum16(fromHidden, s.recurrent[gate]));
      return gate === 2 ? candidateCurve(sum) : logistic(sum);
    },
    cell: (input, forget, candidate, cell) => {
      const sum = clamp16(clamp16(product(forget * cell, s.forget)) + clamp16(product(input * candidate, s.update)));
      return s.cellClip > 0 ? clamp(sum, -s.cellClip, s.cellClip) : sum;
    },
    hidden: (output, cell) =>
      clamp(product(cellCurve(cell) * output, s.hidden) + zeroPointOf(hidden), range.min, range.max),
  };
}

function floatArithmetic({ attrs }: ExecView<LstmAttrs>): Arithmetic {
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
  return {
    gate: (gate, fromInput, fromHidden) => (gate === 2 ? Math.tanh : logistic)(fromInput + fromHidden),
    cell: (input, forget, candidate, cell) => {
      const sum = forget * cell + input * candidate;
      return attrs.cellClip > 0 ? clamp(sum, -attrs.cellClip, attrs.cellClip) : sum;
    },
    hidden: (output, cell) => output * Math.tanh(cell),
  };
}

const doubles = (data: unknown): Float64Array => Float64Array.from(data as ArrayLike<number | bigint>, Number);

/** One step after another, the states carried in the variable inputs. */
export function lstmReference(view: ExecView<LstmAttrs>): void {
  const { batch, steps, inputs, units, batchStride, stepStride } = lstmSize(view);
  const isFloat = inputOf(view, at.input).dtype === "float32";
  const arithmetic = isFloat ? floatArithmetic(view) : integerArithmetic(view);
  const [inZero, hiddenZero] = isFloat
    ? [0, 0]
    : [zeroPointOf(inputOf(view, at.input)), zeroPointOf(inputOf(view, at.hidden))];
  const weights = gates.map((g) => doubles(view.in[at.weights + g]));
  const recurrent = gates.map((g) => doubles(view.in[at.recurrent + g]));
  const bias = gates.map((g) => doubles(view.in[at.bias + g]));
  const [x, hidden, cell] = [view.in[at.input], view.in[at.hidden], view.in[at.cell]] as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const out = view.out[0] as Float32Array;
  const dot = (
    w: Float64Array | undefined,
    row: number,
    v: Float32Array,
    from: number,
    n: number,
    zero: number,
  ): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (w?.[row * n + i] as number) * ((v[from + i] as number) - zero);
    return sum;
  };
  for (let n = 0; n < batch; n++) {
    for (let step = 0; step < steps; step++) {
      const vector = n * batchStride + step * stepStride;
      const next = Array.from({ length: units }, (_, u) => {
        const [input = 0, forget = 0, candidate = 0, output = 0] = gates.map((g) =>
          arithmetic.gate(
            g,
            (bias[g]?.[u] as number) + dot(weights[g], u, x, vector * inputs, inputs, inZero),
            dot(recurrent[g], u, hidden, n * units, units, hiddenZero),
          ),
        );
        cell[n * units + u] = arithmetic.cell(input, forget, candidate, cell[n * units + u] as number);
        return arithmetic.hidden(output, cell[n * units + u] as number);
      });
      hidden.set(next, n * units);
      out.set(hidden.subarray(n * units, (n + 1) * units), vector * units);
    }
  }
}
