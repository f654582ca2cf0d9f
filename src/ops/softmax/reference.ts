import { clamp, requantize, roundingDivideByPowerOfTwo, roundingDoublingHighMul } from "../../base/fixedpoint.js";
import { expOnNegativeValues, reciprocal } from "../common/fixed-exp.js";
import { lookup16 } from "../common/lut16.js";
import { inputOf, outputOf } from "../common/view.js";
import type { ExecView } from "../spec.js";
import { type SoftmaxAttrs, softmaxScaling, softmaxSize, softmaxTables } from "./scaling.js";

type Row = (input: ArrayLike<number>, output: Float32Array) => void;

/** int8 input: Q5.26 exponentials, a sum with 12 bits before the point; TFLM's reference_ops::Softmax. */
function fixedRow(view: ExecView<SoftmaxAttrs>): Row {
  const { multiplier, shift, diffMin } = softmaxScaling(view);
  const bits = outputOf(view, 0).dtype === "int8" ? 8 : 16;
  const low = -(2 ** (bits - 1));
  const exp = (diff: number): number => expOnNegativeValues(roundingDoublingHighMul(diff << shift, multiplier));
  return (input, output) => {
    const diffs = Array.from(input);
    const largest = Math.max(...diffs);
    const exps = diffs.map((x) => (x - largest >= diffMin ? exp(x - largest) : null));
    const sum = exps.reduce<number>((s, e) => s + (e === null ? 0 : roundingDivideByPowerOfTwo(e, 12)), 0);
    const { scale, bitsOverUnit } = reciprocal(sum, 12);
    const down = bitsOverUnit + 31 - bits;
    exps.forEach((e, c) => {
      const share = e === null || down > 31 ? 0 : roundingDivideByPowerOfTwo(roundingDoublingHighMul(scale, e), down);
      output[c] = Math.min(low + share, -low - 1);
    });
  };
}

/** int16 input: table exponentials in Q0.15; TFLM's reference_ops::SoftmaxInt16. */
function tableRow(view: ExecView<SoftmaxAttrs>): Row {
  const { multiplier, shift } = softmaxScaling(view);
  const tables = softmaxTables();
  return (input, output) => {
    const values = Array.from(input);
    const largest = Math.max(...values);
    const exps = values.map((x) =>
      lookup16(tables.exp, clamp(requantize(x - largest, multiplier, shift) + 32767, -32768, 32767)),
    );
    const sum = exps.reduce((s, e) => s + e, 0);
    const headroom = Math.clz32(sum);
    const shifted = Math.floor((sum * 2 ** (headroom - 1) + 2 ** 13) / 2 ** 14);
    const scale = lookup16(tables.reciprocal, clamp(shifted - 2 ** 15 - 2 ** 16, -32768, 32767));
    const down = 31 - headroom;
    exps.forEach((e, c) => {
      output[c] = clamp(Math.floor((e * scale + 2 ** (down - 1)) / 2 ** down), 0, 32767);
    });
  };
}

function floatRow({ attrs }: ExecView<SoftmaxAttrs>): Row {
  return (input, output) => {
    const values = Array.from(input);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const exps = values.map((x) => Math.exp((x - largest) * attrs.beta));
    const sum = exps.reduce((s, e) => s + e, 0);
    exps.forEach((e, c) => {
      output[c] = e / sum;
    });
  };
}

const rowOf = { int8: fixedRow, int16: tableRow, float32: floatRow };

/** The softmax of every vector along the last axis. */
export function softmaxReference(view: ExecView<SoftmaxAttrs>): void {
  const { rows, depth } = softmaxSize(view);
  const row = rowOf[inputOf(view, 0).dtype as keyof typeof rowOf](view);
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  for (let r = 0; r < rows; r++) row(x.subarray(r * depth, (r + 1) * depth), out.subarray(r * depth, (r + 1) * depth));
}
