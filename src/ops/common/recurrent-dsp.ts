import type { NodeView } from "../../ir/graph.js";
import { type RecurrentAttrs, recurrentSizes } from "./recurrent-layer.js";
import { inputOf } from "./view.js";
import { packQuads } from "./weighted-dsp.js";

/** Twice a sum must fit 32 bits, for any values. */
const largestSum = 2 ** 30;

/**
 * A product's weights [gates * units, depth] with their biases as the streams of th_quads_s8.h, each gate filled up with
 * rows of zeros to a multiple of four; null where they do not pack.
 */
export function packGates(
  view: NodeView<RecurrentAttrs>,
  weightsIndex: number,
  bias: readonly number[] | null,
): Int32Array | null {
  const { units } = recurrentSizes(view);
  const tensor = inputOf(view, weightsIndex);
  const [rows = 0, depth = 0] = tensor.shape;
  const filled = 4 * Math.ceil(units / 4);
  const data = tensor.data as Int8Array;
  const weights = new Int8Array((rows / units) * filled * depth);
  const biases = new Int32Array((rows / units) * filled);
  for (let row = 0; row < rows; row++) {
    const to = Math.floor(row / units) * filled + (row % units);
    const from = data.subarray(row * depth, (row + 1) * depth);
    const most = from.reduce((sum, w) => sum + 128 * Math.abs(w), Math.abs(bias?.[row] ?? 0));
    if (most >= largestSum) return null;
    weights.set(from, to * depth);
    biases[to] = bias?.[row] ?? 0;
  }
  // Sums alone are wanted, which have no scales.
  const none = { multipliers: new Int32Array(biases.length), rights: new Int8Array(biases.length) };
  const packed = packQuads({ weights, depth, biases, ...none, zero2: 0, linear: () => null }, { bits: 8 });
  return packed?.segments === 1 ? packed.stream : null;
}
