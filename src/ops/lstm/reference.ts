import { clamp } from "../../base/fixedpoint.js";
import type { FloatStep, IntegerStep } from "../common/recurrent-layer.js";
import { sigmoidCurve16 } from "../common/sigmoid.js";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Source: LSTM in ONNX's Operators.md, with its default activations (Gers and Schmidhuber 2000, with peepholes). */
export function lstmStep({ units: n, given, past, peephole, clip, hidden, cell }: FloatStep): void {
  const back = past(0, 4 * n, hidden);
  const sum = (gate: number, u: number): number => (given[gate * n + u] as number) + (back[gate * n + u] as number);
  for (let u = 0; u < n; u++) {
    const before = cell[u] as number;
    const input = sigmoid(clip(sum(0, u) + peephole(u) * before));
    const forget = sigmoid(clip(sum(2, u) + peephole(2 * n + u) * before));
    const next = forget * before + input * Math.tanh(clip(sum(3, u)));
    cell[u] = next;
    hidden[u] = sigmoid(clip(sum(1, u) + peephole(n + u) * next)) * Math.tanh(next);
  }
}

const logistic16 = sigmoidCurve16({ multiplier: 3, shift: 0 }, "logistic");
const tanh16 = sigmoidCurve16({ multiplier: 3, shift: 0 }, "tanh");
/** Of the cell, which has a bit less after the point. */
const cellTanh16 = sigmoidCurve16({ multiplier: 6, shift: 0 }, "tanh");

/** The same in fixed point, without peepholes; the cell saturates at 16. Bit-exact with th_lstm_from_zero_steps.h. */
export function lstmIntegerStep({ units: n, given, past, narrow, clip, hidden, cell }: IntegerStep): void {
  const back = past(0, 4 * n, narrow());
  const sum = (gate: number, u: number): number =>
    clip((given[gate * n + u] as number) + (back[gate * n + u] as number));
  for (let u = 0; u < n; u++) {
    const kept = (logistic16(sum(2, u)) * (cell[u] as number) + 2 ** 14) >> 15;
    const added = (logistic16(sum(0, u)) * tanh16(sum(3, u)) + 2 ** 18) >> 19;
    const next = clamp(kept + added, -32768, 32767);
    cell[u] = next;
    hidden[u] = (logistic16(sum(1, u)) * cellTanh16(next) + 2 ** 14) >> 15;
  }
}
