import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompactOrder, compactOrder } from "./schedule.js";

/** What th_play makes of a compact order. */
const expand = ({ entries, runs }: CompactOrder): readonly number[] =>
  runs.flatMap(({ first, length, times }) =>
    Array.from({ length: times }, () => entries.slice(first, first + length)).flat(),
  );

const step = fc.constantFrom(0, 1, 2, 3, 249, 255);
const stretch = fc.array(step, { minLength: 1, maxLength: 12 });

/** As streams are: a beginning, cycles, an end. */
const periodic = fc
  .tuple(stretch, fc.array(fc.tuple(stretch, fc.integer({ min: 1, max: 40 })), { maxLength: 4 }), stretch)
  .map(([begin, cycles, end]) => [
    ...begin,
    ...cycles.flatMap(([cycle, times]) => Array.from({ length: times }, () => cycle).flat()),
    ...end,
  ]);

const isUint16 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 65535;

function check(order: readonly number[]): void {
  const compact = compactOrder(order);
  expect(expand(compact)).toEqual(order);
  for (const { first, length, times } of compact.runs) {
    expect([first, length, times].every(isUint16)).toBe(true);
    expect(first + length).toBeLessThanOrEqual(compact.entries.length);
  }
}

describe("compact orders", () => {
  it("expand to what they were made of", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 200 }), check), { numRuns: 300 });
    fc.assert(fc.property(periodic, check), { numRuns: 300 });
  });

  it.each<readonly [string, readonly number[], number, number]>([
    ["nothing", [], 0, 0],
    ["one", [3], 1, 1],
    ["a repetition too short to save anything", [0, 1, 0, 1, 0, 1], 6, 1],
    ["a cycle", Array.from({ length: 100 }, (_, i) => i % 2), 2, 1],
    ["a cycle between two ends", [5, 6, ...Array.from({ length: 60 }, (_, i) => i % 3), 6, 5], 7, 3],
    ["a long cycle with a cycle in it", Array.from({ length: 90 }, (_, i) => (i % 30 < 20 ? 0 : i % 30)), 30, 1],
  ])("%s", (_, order, entries, runs) => {
    const compact = compactOrder(order);
    expect(expand(compact)).toEqual(order);
    expect(compact.entries.length).toBeLessThanOrEqual(entries);
    expect(compact.runs.length).toBeLessThanOrEqual(runs);
  });

  it("fit 16 bits for the longest order of a group", () => {
    check(new Array<number>(65535).fill(7));
    check(Array.from({ length: 65535 }, (_, i) => (i * i) % 251));
  });
});
