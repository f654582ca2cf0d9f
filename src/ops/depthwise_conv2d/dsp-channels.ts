import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { type LinearChannel, type LinearScales, linearScales } from "../common/linear-finish.js";
import { perNode } from "../common/per-node.js";
import { multiplierStep, quantizedFinish } from "../common/requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, zeroPointOf } from "../common/view.js";
import { multipliersOf } from "../common/weighted.js";
import { type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** Right shifts of the finish in five instructions; beyond, the zero point overflows. */
const maxRight = 22;

/** Weights [channels][taps], twice the biases, multipliers and right shifts, one for each output channel. */
export interface Channels {
  readonly weights: Int8Array;
  readonly biases2: Int32Array;
  readonly multipliers: Int32Array;
  readonly rights: Int8Array;
  /** The linear finish, where there is one. */
  readonly linear: LinearScales | null;
}

/** The shift of the linear finish: TH_DW_LINEAR_BITS. */
const linearBits = 8;

/** The channels, or null where some sum or shift is not of the range that the finish is right for. */
export const channelsOf = perNode(depthwise.index, (view: View): Channels | null => {
  const { outChannels, kernel } = depthwiseGeometry(view);
  const [given, bias, output] = [inputOf(view, 1), optionalInput(view, 2), outputOf(view, 0)];
  if (given.data === null || (bias !== null && bias.data === null)) return null;
  const data = given.data as Int8Array;
  const taps = kernel[0] * kernel[1];
  const zero = zeroPointOf(inputOf(view, 0));
  const outZero = zeroPointOf(output);
  const biases = asDoubles(bias?.data) ?? new Float64Array(outChannels);
  const m = multipliersOf(depthwise, view);
  const limits = quantizedActivationRange(view.attrs.activation, output);
  const finish = quantizedFinish(m, outZero, limits, false);
  // Three bytes more, as weights are read four at a time.
  const weights = new Int8Array(outChannels * taps + 3);
  const biases2 = new Int32Array(outChannels);
  const multipliers = new Int32Array(outChannels);
  const rights = new Int8Array(outChannels);
  const sums: LinearChannel[] = [];
  for (let c = 0; c < outChannels; c++) {
    let [positive, negative] = [0, 0];
    for (let t = 0; t < taps; t++) {
      const w = data[t * outChannels + c] as number;
      weights[c * taps + t] = w;
      if (w > 0) positive += w;
      else negative -= w;
    }
    const [least, most] = [-128 - zero, 127 - zero];
    // Padding leaves products out, so no sum is further from the bias than all of one sign.
    const low = (biases[c] as number) + least * positive - most * negative;
    const high = (biases[c] as number) + most * positive - least * negative;
    if (low <= -(2 ** 30) || high >= 2 ** 30) return null;
    const shift = m.shifts[c * multiplierStep(m)] as number;
    const value = finish(low, c);
    if (shift <= 0 && value === finish(high, c)) {
      // The same for every input: half of a fourth of four times the value, both exact.
      weights.fill(0, c * taps, (c + 1) * taps);
      biases2[c] = 8 * (value - outZero);
      multipliers[c] = 2 ** 30;
      rights[c] = 1;
      sums.push({ low: 0, high: 0, bias: 64 * (value - outZero), finish: () => value, slope: 1 / 64, limits });
      continue;
    }
    if (shift > -1 || shift < -maxRight) return null;
    biases2[c] = 2 * (biases[c] as number);
    multipliers[c] = m.multipliers[c * multiplierStep(m)] as number;
    rights[c] = -shift;
    const bias = biases[c] as number;
    const slope = (multipliers[c] as number) * 2 ** (shift - 31);
    sums.push({ low: low - bias, high: high - bias, bias, finish: (sum) => finish(sum, c), slope, limits });
  }
  return { weights, biases2, multipliers, rights, linear: linearScales(sums, outZero, linearBits) };
});
