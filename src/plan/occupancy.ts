import type { Change } from "./traces.js";

/**
 * The bytes of a buffer that hold something worth keeping: from `low` up to `top`, both in bytes from the buffer's start,
 * while it is alive. A tensor that is written row by row fills from below, and one that is read row by row for the last
 * time empties from below.
 */
export interface Occupancy {
  readonly bytes: number;
  /** The first and the last firing that touches it. */
  readonly first: number;
  readonly last: number;
  /** Values before the first change are 0. */
  readonly top: readonly Change[];
  readonly low: readonly Change[];
}

/** A buffer that is full from its first to its last firing. */
export const solid = (bytes: number, first: number, last: number): Occupancy => ({
  bytes,
  first,
  last,
  top: [{ time: first, value: bytes }],
  low: [],
});

/** Reads a list of changes in ascending order of time. */
function cursor(changes: readonly Change[]): (time: number) => number {
  let at = 0;
  let value = 0;
  return (time) => {
    while (at < changes.length && (changes[at] as Change).time <= time) value = (changes[at++] as Change).value;
    return value;
  };
}

/**
 * How far below the start of `upper` the start of `lower` must lie so that what `lower` holds never reaches what `upper`
 * holds; -Infinity if they are never alive together. For an output that grows over an input this is the distance that its
 * row windows allow: the general form of in-place depthwise and of the overlapped pointwise convolution of Zheng et al.,
 * "vMCU" (MLSys 2024).
 */
export function distanceBelow(lower: Occupancy, upper: Occupancy): number {
  const from = Math.max(lower.first, upper.first);
  const to = Math.min(lower.last, upper.last);
  if (from > to) return -Infinity;
  const [lowerTop, lowerLow, upperTop, upperLow] = [
    cursor(lower.top),
    cursor(lower.low),
    cursor(upper.top),
    cursor(upper.low),
  ];
  // The distance grows with what the lower one holds, and begins to count when the upper one holds something.
  const times = [from, ...[...lower.top, ...upper.low, ...upper.top].map((c) => c.time)]
    .filter((t) => t >= from && t <= to)
    .sort((a, b) => a - b);
  let distance = -Infinity;
  for (const time of times) {
    const [a, b] = [lowerTop(time), upperLow(time)];
    if (lowerLow(time) < a && b < upperTop(time)) distance = Math.max(distance, a - b);
  }
  return distance;
}

/** Adds the bytes held at each time to `live`. */
export function addLive(live: Float64Array, o: Occupancy): void {
  const [top, low] = [cursor(o.top), cursor(o.low)];
  for (let time = o.first; time <= o.last; time++) live[time] = (live[time] as number) + top(time) - low(time);
}
