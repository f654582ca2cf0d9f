import type { CValue } from "../spec.js";

/** How the elements of two inputs pair up: sizes of the output and steps through each input, outermost first. */
export interface BroadcastPlan {
  readonly sizes: readonly number[];
  readonly steps1: readonly number[];
  readonly steps2: readonly number[];
}

/** The most dimensions a kernel loops over. */
export const maxBroadcastRank = 6;

/** The common shape of two inputs by numpy's rules, or null if they do not broadcast. */
export function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let d = 0; d < rank; d++) {
    const x = a[d - rank + a.length] ?? 1;
    const y = b[d - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** Steps in elements through an input along each dimension of the output; 0 where it repeats. */
export function broadcastSteps(shape: readonly number[], output: readonly number[]): readonly number[] {
  const steps = new Array<number>(output.length).fill(0);
  let step = 1;
  for (let d = output.length - 1; d >= 0; d--) {
    const size = shape[d - output.length + shape.length] ?? 1;
    if (size !== 1) steps[d] = step;
    step *= size;
  }
  return steps;
}

/**
 * Merges adjacent dimensions along which both inputs advance (or repeat) evenly, and pads with outer dimensions of
 * size 1 to six: what the C loop runs over. Equal shapes and a scalar side end as one dimension.
 */
export function broadcastPlan(a: readonly number[], b: readonly number[], output: readonly number[]): BroadcastPlan {
  const [all1, all2] = [broadcastSteps(a, output), broadcastSteps(b, output)];
  const dims: { size: number; step1: number; step2: number }[] = [];
  output.forEach((size, d) => {
    const [step1, step2] = [all1[d] as number, all2[d] as number];
    const outer = dims.at(-1);
    if (size === 1) return;
    if (outer && outer.step1 === step1 * size && outer.step2 === step2 * size) {
      outer.size *= size;
      outer.step1 = step1;
      outer.step2 = step2;
    } else dims.push({ size, step1, step2 });
  });
  // An empty output is one empty run, so that the loop's first pass writes nothing.
  if (output.includes(0)) dims.splice(0, dims.length, { size: 0, step1: 0, step2: 0 });
  while (dims.length < maxBroadcastRank) dims.unshift({ size: 1, step1: 0, step2: 0 });
  return { sizes: dims.map((d) => d.size), steps1: dims.map((d) => d.step1), steps2: dims.map((d) => d.step2) };
}

/** The fields of the member `b` of a binary kernel's params. */
export function broadcastFields(
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
): Record<string, CValue> {
  const plan = broadcastPlan(a, b, output);
  return { "b.size": plan.sizes, "b.step1": plan.steps1, "b.step2": plan.steps2 };
}

/** Calls `visit` with the offsets of both inputs for every element of the output, in order. */
export function forEachPair(
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
  visit: (at: number, at1: number, at2: number) => void,
): void {
  const [steps1, steps2] = [broadcastSteps(a, output), broadcastSteps(b, output)];
  const last = output.length - 1;
  let at = 0;
  const walk = (d: number, at1: number, at2: number): void => {
    const size = output[d] ?? 1;
    const [step1, step2] = [steps1[d] ?? 0, steps2[d] ?? 0];
    for (let i = 0; i < size; i++) {
      if (d >= last) visit(at++, at1 + i * step1, at2 + i * step2);
      else walk(d + 1, at1 + i * step1, at2 + i * step2);
    }
  };
  walk(0, 0, 0);
}
