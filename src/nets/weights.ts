import type { Random } from "../base/random.js";

/** How weights begin. */
export type Initializer =
  /** Normal with variance 2 / fan-in: before a ReLU (He et al. 2015). */
  | "he"
  /** Uniform in +-sqrt(6 / (fan-in + fan-out)) (Glorot and Bengio 2010). */
  | "glorot"
  | "zeros"
  | "ones";

/** `elements` weights of a layer with so many inputs and outputs to each of its sums. */
export function initialWeights(
  initializer: Initializer,
  elements: number,
  fan: { readonly in: number; readonly out: number },
  random: Random,
): Float32Array {
  const data = new Float32Array(elements);
  if (initializer === "zeros") return data;
  if (initializer === "ones") return data.fill(1);
  const deviation = Math.sqrt(2 / fan.in);
  const limit = Math.sqrt(6 / (fan.in + fan.out));
  return data.map(() => (initializer === "he" ? random.normal() * deviation : (2 * random.unit() - 1) * limit));
}
