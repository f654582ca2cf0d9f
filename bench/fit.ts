/** One equation of a fit: the weighted sum of `factors` should be `value`. */
export interface Equation {
  readonly factors: readonly number[];
  readonly value: number;
}

const rounds = 20_000;

/** Between absolute errors (0) and relative ones (1): large layers matter more, small ones still count. */
const relativity = 0.7;

/** Weights, none negative, with the least squares of errors: coordinate descent on the normal equations, which are few. */
export function fitWeights(equations: readonly Equation[]): readonly number[] {
  const n = equations[0]?.factors.length ?? 0;
  const known = equations.filter((e) => e.value > 0);
  const scale = known.map((e) => e.value ** relativity);
  // Each column is divided by its size, so that steps are alike.
  const rows = known.map((e, k) => e.factors.map((f) => f / (scale[k] ?? 1)));
  const values = known.map((e, k) => e.value / (scale[k] ?? 1));
  const sizes = Array.from({ length: n }, (_, i) => Math.hypot(...rows.map((r) => r[i] ?? 0)) || 1);
  const a = rows.map((r) => r.map((f, i) => f / (sizes[i] ?? 1)));
  const dot = (i: number, j: number): number => a.reduce((sum, r) => sum + (r[i] ?? 0) * (r[j] ?? 0), 0);
  const gram = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => dot(i, j)));
  const right = Array.from({ length: n }, (_, i) => a.reduce((sum, r, k) => sum + (r[i] ?? 0) * (values[k] ?? 0), 0));
  const x = new Array<number>(n).fill(0);
  for (let round = 0; round < rounds; round++) {
    let moved = 0;
    for (let i = 0; i < n; i++) {
      const diagonal = gram[i]?.[i] ?? 0;
      if (diagonal === 0) continue;
      const rest = x.reduce((sum, v, j) => sum + (j === i ? 0 : v * (gram[i]?.[j] ?? 0)), 0);
      const next = Math.max(0, ((right[i] ?? 0) - rest) / diagonal);
      moved = Math.max(moved, Math.abs(next - (x[i] ?? 0)));
      x[i] = next;
    }
    if (moved < 1e-9) break;
  }
  return x.map((v, i) => v / (sizes[i] ?? 1));
}
