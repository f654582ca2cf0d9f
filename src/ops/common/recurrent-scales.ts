import { clamp, quantizeMultiplier, roundAway } from "../../base/fixedpoint.js";
import { type NodeView, perTensor, type Tensor } from "../../ir/graph.js";
import { type RecurrentAttrs, recurrentInputs } from "./recurrent-layer.js";
import type { ChannelMultipliers } from "./requantize.js";
import { inputOf, quantOf, scaleOf } from "./view.js";

/** The hidden state's: gates and tanh keep it inside [-1, 1], so nothing has to be measured. */
export const hiddenQuantization = { int8: perTensor(1 / 128), int16: perTensor(1 / 32768) } as const;

/** The same for the type of a layer's data. */
export const hiddenQuantizationOf = ({ dtype }: Pick<Tensor, "dtype">) =>
  hiddenQuantization[dtype === "int16" ? "int16" : "int8"];

/** Multiplier and shift that bring the sums of a product to Q3.12, for each row of its weights or one for all. */
function toQ12(inputScale: number, weightScales: readonly number[]): ChannelMultipliers {
  const factors = weightScales.map((scale) => quantizeMultiplier(inputScale * scale * 4096));
  return {
    multipliers: Int32Array.from(factors, (f) => f.multiplier),
    shifts: Int8Array.from(factors, (f) => f.shift),
  };
}

/** Of the products with the input and with the hidden state. */
export const recurrentScales = (view: NodeView<RecurrentAttrs>) => ({
  input: toQ12(scaleOf(inputOf(view, recurrentInputs.data)), quantOf(inputOf(view, recurrentInputs.weights)).scales),
  recurrent: toQ12(
    hiddenQuantizationOf(inputOf(view, recurrentInputs.data)).scales[0] ?? 1,
    quantOf(inputOf(view, recurrentInputs.recurrent)).scales,
  ),
});

/** The clip in Q3.12. */
export const sumLimit = ({ clip }: RecurrentAttrs): number =>
  clip > 0 ? clamp(roundAway(clip * 4096), 1, 32767) : 32767;
