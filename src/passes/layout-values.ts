import { elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";

/**
 * A tensor that has not been computed: `source` with its axes in another order, and then perhaps under another shape.
 * Axis d of the tensor is axis order[d] of the source.
 */
export interface Virtual {
  readonly source: TensorId;
  readonly order: readonly number[];
  /** A flattening of all axes but the first: [batch, everything else]. */
  readonly flat: readonly number[] | null;
}

export const isIdentity = (order: readonly number[]): boolean => order.every((axis, d) => axis === d);

export const inverse = (order: readonly number[]): readonly number[] => order.map((_, d) => order.indexOf(d));

/** Values for each axis, in the order that axes have after a permutation. */
export const permuted = <T>(values: readonly T[], order: readonly number[]): readonly T[] =>
  order.map((d) => values[d] as T);

/** True if a permutation leaves the elements where they are: axes longer than 1 keep their order. */
export function keepsElements(shape: readonly number[], order: readonly number[]): boolean {
  const moved = order.filter((d) => shape[d] !== 1);
  return moved.every((d, i) => i === 0 || d > (moved[i - 1] ?? 0));
}

/** The place in a tensor of each element of the same tensor with its axes permuted. */
export function permutedPlaces(shape: readonly number[], order: readonly number[]): Int32Array {
  const steps = shape.map((_, d) => elementsOf(shape.slice(d + 1)));
  const sizes = permuted(shape, order);
  const places = new Int32Array(elementsOf(shape));
  let at = 0;
  const walk = (d: number, from: number): void => {
    if (d === sizes.length) {
      places[at++] = from;
      return;
    }
    const step = steps[order[d] ?? 0] ?? 0;
    for (let i = 0; i < (sizes[d] ?? 0); i++) walk(d + 1, from + i * step);
  };
  walk(0, 0);
  return places;
}

/** Axes of a tensor and those of the same elements under another shape, which belong together. */
export interface AxisGroup {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The finest groups of axes of both shapes with as many elements each. */
export function axisGroups(from: readonly number[], to: readonly number[]): readonly AxisGroup[] {
  const groups: { from: number[]; to: number[] }[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const group = { from: [i], to: [j] };
    let [a, b] = [from[i++] as number, to[j++] as number];
    while (a !== b && (a < b ? i < from.length : j < to.length)) {
      if (a < b) {
        group.from.push(i);
        a *= from[i++] as number;
      } else {
        group.to.push(j);
        b *= to[j++] as number;
      }
    }
    groups.push(group);
  }
  const last = groups.at(-1);
  while (last && i < from.length) last.from.push(i++);
  while (last && j < to.length) last.to.push(j++);
  return groups;
}

/** How a reshape of a permuted tensor becomes one of its source. */
export interface MovedReshape {
  /** The order in which the source must lie first, so that axes which become one are side by side. */
  readonly before: readonly number[];
  readonly shape: readonly number[];
  /** Axes of the result in the order that the reshaped tensor has. */
  readonly order: readonly number[];
}

/**
 * Moves a reshape before a permutation.
 * @param from shape of the permuted tensor   @param to shape it gets   @param order of the source's axes
 */
export function movedReshape(
  from: readonly number[],
  to: readonly number[],
  order: readonly number[],
): MovedReshape | null {
  const groups = axisGroups(from, to);
  if (groups.some((g) => g.from.length === 0 || g.to.length === 0)) return null;
  // Groups lie in the source where their last axis does.
  const placed = groups
    .map((group) => ({ group, at: Math.max(...group.from.map((d) => order[d] as number)) }))
    .sort((a, b) => a.at - b.at);
  const before = placed.flatMap(({ group }) => group.from.map((d) => order[d] as number));
  const result = placed.flatMap(({ group }) => group.to);
  return {
    before,
    shape: result.map((d) => to[d] as number),
    order: to.map((_, d) => result.indexOf(d)),
  };
}
