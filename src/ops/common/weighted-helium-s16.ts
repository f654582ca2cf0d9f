import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "./activation.js";
import { multiplierStep, quantizedFinish } from "./requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, zeroPointOf } from "./view.js";
import { multipliersOf, type Weighted } from "./weighted.js";
import type { HeliumChannels } from "./weighted-helium.js";

/** The multiplier of 15 bits that sums of 64 bits are multiplied with: see requantize64. */
const reducedOf = (multiplier: number): number => (multiplier < 0x7fff0000 ? (multiplier + 0x8000) >> 16 : 0x7fff);

/**
 * The channels of a node with int16 activations and constant int8 weights [channels][...], for sums of 32 bits; null where
 * the finish is not exact.
 * @param rounding "once": int64 biases. No sum may leave 32 bits; the multiplier is shifted to the left so that a rounding
 *   doubling multiply is the reference's rounding. "twice": int32 biases, sums modulo 2^32.
 */
export function wideChannels<A>(w: Weighted<A>, view: NodeView<A>, rounding: "once" | "twice"): HeliumChannels | null {
  const [input, tensor, output] = [inputOf(view, w.index.input), inputOf(view, w.index.weights), outputOf(view, 0)];
  const bias = optionalInput(view, w.index.bias);
  if (tensor.data === null || (bias !== null && bias.data === null)) return null;
  // Without a bias sums are rounded once.
  if (bias === null && rounding === "twice") return null;
  if (zeroPointOf(input) !== 0 || zeroPointOf(output) !== 0) return null;
  const weights = Int8Array.from(tensor.data as Int8Array);
  const count = tensor.shape[0] ?? 1;
  const depth = weights.length / count;
  const given = asDoubles(bias?.data) ?? new Float64Array(count);
  const m = multipliersOf(w, view);
  const finish = quantizedFinish(m, 0, quantizedActivationRange(w.activation(view.attrs), output), true);
  const biases = new Int32Array(count);
  const multipliers = new Int32Array(count);
  const rights = new Int8Array(count);
  for (let c = 0; c < count; c++) {
    const shift = m.shifts[c * multiplierStep(m)] as number;
    const multiplier = m.multipliers[c * multiplierStep(m)] as number;
    const sum = given[c] as number;
    if (rounding === "twice") {
      if (shift > -1) return null;
      biases[c] = sum;
      multipliers[c] = multiplier;
      rights[c] = -shift;
      continue;
    }
    const most = weights.subarray(c * depth, (c + 1) * depth).reduce((all, x) => all + Math.abs(x), 0) * 2 ** 15;
    const [low, high] = [sum - most, sum + most];
    if (low < -(2 ** 31) || high >= 2 ** 31 || shift > 0) return null;
    if (shift >= -16) {
      biases[c] = sum;
      multipliers[c] = reducedOf(multiplier) * 2 ** (16 + shift);
      continue;
    }
    const value = finish(low, c);
    if (value !== finish(high, c)) return null;
    // Half of twice the value, whatever the input.
    weights.fill(0, c * depth, (c + 1) * depth);
    biases[c] = 2 * value;
    multipliers[c] = 2 ** 30;
  }
  return { weights, depth, biases, multipliers, rights };
}
