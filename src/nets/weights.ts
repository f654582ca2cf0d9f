import type { Random } from "../base/random.js";

/** How weights begin. */
export type Initializer =
  /** Normal with variance 2 / fan-in: before a ReLU (He et al. 2015). */
  | "he"
  /** Uniform in +-sqrt(6 / (fan-in + fan-out)) (Glorot and Bengio 2010). */
  | "glorot"
  /** Square blocks below each other, each a rotation: states neither fade nor grow (Saxe et al. 2014). */
  | "orthogonal"
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
  if (initializer === "orthogonal") {
    const size = fan.in * fan.in;
    for (let first = 0; first < elements; first += size) data.set(rotation(fan.in, random), first);
    return data;
  }
  const deviation = Math.sqrt(2 / fan.in);
  const limit = Math.sqrt(6 / (fan.in + fan.out));
  return data.map(() => (initializer === "he" ? random.normal() * deviation : (2 * random.unit() - 1) * limit));
}

/** A random orthogonal matrix: normal rows, each made orthogonal to those before and of length 1 (Gram-Schmidt, twice). */
function rotation(n: number, random: Random): Float64Array {
  const m = new Float64Array(n * n).map(() => random.normal());
  const row = (r: number): Float64Array => m.subarray(r * n, (r + 1) * n);
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
  for (let r = 0; r < n; r++) {
    const x = row(r);
    for (let pass = 0; pass < 2; pass++) {
      for (let s = 0; s < r; s++) {
        const y = row(s);
        const along = dot(x, y);
        for (let i = 0; i < n; i++) x[i] = (x[i] as number) - along * (y[i] as number);
      }
    }
    const length = Math.sqrt(dot(x, x));
    for (let i = 0; i < n; i++) x[i] = (x[i] as number) / length;
  }
  return m;
}
