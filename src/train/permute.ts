import { elementsOf } from "../base/dtype.js";

/** The permutation that undoes another. */
export const inverseOrder = (order: readonly number[]): readonly number[] =>
  order.map((_, axis) => order.indexOf(axis));

/** The elements of a tensor with its axes in another order: axis i of the result is axis `order[i]`. */
export function permuted(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  if (order.every((axis, i) => axis === i)) return data;
  const steps = shape.map((_, d) => elementsOf(shape.slice(d + 1)));
  const out = new Float32Array(data.length);
  let at = 0;
  const walk = (d: number, from: number): void => {
    const axis = order[d];
    if (axis === undefined) {
      out[at++] = data[from] as number;
      return;
    }
    for (let i = 0; i < (shape[axis] ?? 0); i++) walk(d + 1, from + i * (steps[axis] ?? 0));
  };
  walk(0, 0);
  return out;
}
