import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLive, distanceBelow, type Occupancy, solid } from "./occupancy.js";
import type { Change } from "./traces.js";

const bytes = 24;
const lastTime = 10;

/** A quantity that never falls, from some time on. */
const rising = fc
  .array(fc.record({ time: fc.nat(lastTime + 1), value: fc.nat(bytes) }), { maxLength: 5 })
  .map((changes): readonly Change[] => {
    const times = [...new Set(changes.map((c) => c.time))].sort((a, b) => a - b);
    const values = changes.map((c) => c.value).sort((a, b) => a - b);
    return times.map((time, i) => ({ time, value: values[i] ?? bytes }));
  });

const occupancy: fc.Arbitrary<Occupancy> = fc
  .record({ first: fc.nat(lastTime), length: fc.nat(lastTime), top: rising, low: rising })
  .map(({ first, length, top, low }) => ({ bytes, first, last: first + length, top, low }));

/** The value of the last change up to a time. */
const at = (changes: readonly Change[], time: number): number =>
  changes.filter((c) => c.time <= time).at(-1)?.value ?? 0;

/** The bytes of a buffer that hold something, as it is defined. */
function heldAt(o: Occupancy, time: number): readonly number[] {
  if (time < o.first || time > o.last) return [];
  return Array.from({ length: o.bytes }, (_, i) => i).filter((i) => i >= at(o.low, time) && i < at(o.top, time));
}

/** True if no byte of `upper`, which starts `distance` above `lower`, is at or below one that `lower` holds. */
function isClear(lower: Occupancy, upper: Occupancy, distance: number): boolean {
  for (let time = 0; time <= 2 * lastTime; time++) {
    const [below, above] = [heldAt(lower, time), heldAt(upper, time)];
    if (below.length > 0 && above.length > 0 && Math.max(...below) >= Math.min(...above) + distance) return false;
  }
  return true;
}

describe("the distance of one buffer below another", () => {
  it("is the least that keeps what they hold apart", () => {
    let finite = 0;
    fc.assert(
      fc.property(occupancy, occupancy, (lower, upper) => {
        const distance = distanceBelow(lower, upper);
        if (distance === -Infinity) {
          expect(isClear(lower, upper, -10 * bytes)).toBe(true);
          return;
        }
        finite++;
        expect(isClear(lower, upper, distance)).toBe(true);
        expect(isClear(lower, upper, distance - 1)).toBe(false);
      }),
      { numRuns: 3000 },
    );
    expect(finite).toBeGreaterThan(100);
  });

  it.each<readonly [string, Occupancy, Occupancy, number]>([
    ["full ones", solid(10, 0, 4), solid(20, 2, 6), 10],
    ["apart in time", solid(10, 0, 4), solid(20, 5, 6), -Infinity],
    [
      // Row r, of 4 bytes, is written in firing r, in which row r of 6 bytes is read: free after it.
      "rows of 4 grow where rows of 6 shrink",
      { bytes: 12, first: 0, last: 2, top: [0, 1, 2].map((t) => ({ time: t, value: 4 * t + 4 })), low: [] },
      {
        bytes: 18,
        first: 0,
        last: 2,
        top: [{ time: 0, value: 18 }],
        low: [1, 2, 3].map((t) => ({ time: t, value: 6 * t })),
      },
      4,
    ],
  ])("%s", (_, lower, upper, distance) => {
    expect(distanceBelow(lower, upper)).toBe(distance);
  });
});

it("live bytes are what is held at each time", () => {
  fc.assert(
    fc.property(occupancy, (o) => {
      // What is read was written before.
      fc.pre(o.low.every(({ time, value }) => value <= at(o.top, time)));
      const live = new Float64Array(2 * lastTime + 2);
      addLive(live, o);
      expect([...live]).toEqual([...live].map((_, time) => heldAt(o, time).length));
    }),
    { numRuns: 200 },
  );
});
