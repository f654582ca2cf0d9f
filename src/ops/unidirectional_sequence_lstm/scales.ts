import { clamp, type QuantizedMultiplier, quantizeMultiplier } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { inputOf, scaleOf } from "../common/view.js";
import { at, gates, type LstmAttrs } from "./size.js";

/** Every factor of the integer LSTM. Source: PrepareGateParametersInteger of TFLM's lstm_eval_common.cc. */
export interface LstmScales {
  readonly input: readonly QuantizedMultiplier[];
  readonly recurrent: readonly QuantizedMultiplier[];
  /** Forget gate x cell state. */
  readonly forget: QuantizedMultiplier;
  /** Input gate x cell gate. */
  readonly update: QuantizedMultiplier;
  /** Output gate x tanh of the cell state. */
  readonly hidden: QuantizedMultiplier;
  /** Brings the cell state to the units of the tanh table. */
  readonly tanh: { readonly multiplier: number; readonly shift: number };
  /** Limit of the quantized cell state, 0 for none. */
  readonly cellClip: number;
}

/** Exponent of the cell state's scale, rounded as TFLite's CheckedLog2. */
export const cellExponent = (scale: number): number => Math.round(Math.log2(scale));

export function lstmScales(view: NodeView<LstmAttrs>): LstmScales {
  const [input, hidden, cell] = [inputOf(view, at.input), inputOf(view, at.hidden), scaleOf(inputOf(view, at.cell))];
  // Products of scales are float32, gates have 12 bits after the point, activations 15.
  const gate = (source: number, weights: number): QuantizedMultiplier =>
    quantizeMultiplier(Math.fround(source * scaleOf(inputOf(view, weights))) / 2 ** -12);
  const shift = 12 + cellExponent(cell);
  const { cellClip } = view.attrs;
  return {
    input: gates.map((g) => gate(scaleOf(input), at.weights + g)),
    recurrent: gates.map((g) => gate(scaleOf(hidden), at.recurrent + g)),
    forget: quantizeMultiplier((2 ** -15 * cell) / cell),
    update: quantizeMultiplier(2 ** -30 / cell),
    hidden: quantizeMultiplier(2 ** -30 / scaleOf(hidden)),
    tanh: shift < 0 ? { multiplier: 3, shift: -shift } : { multiplier: 3 * 2 ** shift, shift: 0 },
    cellClip: cellClip > 0 ? clamp(Math.trunc(cellClip / cell), 0, 32767) : 0,
  };
}
