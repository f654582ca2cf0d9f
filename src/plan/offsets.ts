import { seededRandom } from "../base/random.js";
import { alignUp } from "../base/units.js";

/** A buffer to be placed: alive from firstStep to lastStep, both included. */
export interface Request {
  readonly bytes: number;
  readonly alignment: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Two requests that meet in time but may share bytes: `upper` starts at least `distance` bytes above `lower`. */
export interface Overlap {
  readonly lower: number;
  readonly upper: number;
  readonly distance: number;
}

/** What to place. */
export interface Problem {
  readonly requests: readonly Request[];
  readonly overlaps?: readonly Overlap[];
  /** Unused bytes kept between any two buffers, for tests that look for stray writes; overlaps are then not used. */
  readonly guardBytes?: number;
}

/** An offset for each request, and the end of the highest. */
export interface Placement {
  readonly offsets: readonly number[];
  readonly extent: number;
}

const overlapsInTime = (a: Request, b: Request): boolean => a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;

/** The most bytes alive at any step: without overlaps, no placement is smaller. */
export function liveLowerBound(requests: readonly Request[]): number {
  const change = new Map<number, number>();
  for (const r of requests) {
    change.set(r.firstStep, (change.get(r.firstStep) ?? 0) + r.bytes);
    change.set(r.lastStep + 1, (change.get(r.lastStep + 1) ?? 0) - r.bytes);
  }
  let live = 0;
  let peak = 0;
  for (const step of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(step) ?? 0;
    peak = Math.max(peak, live);
  }
  return peak;
}

/** Overlaps by the requests they are between. */
type OverlapTable = ReadonlyMap<number, ReadonlyMap<number, Overlap>>;

function overlapTable(overlaps: readonly Overlap[]): OverlapTable {
  const table = new Map<number, Map<number, Overlap>>();
  const add = (from: number, to: number, overlap: Overlap): void => {
    const row = table.get(from) ?? new Map<number, Overlap>();
    row.set(to, overlap);
    table.set(from, row);
  };
  for (const overlap of overlaps) {
    add(overlap.lower, overlap.upper, overlap);
    add(overlap.upper, overlap.lower, overlap);
  }
  return table;
}

/** Starts that a request must not have, both ends excluded. */
interface Forbidden {
  readonly from: number;
  readonly to: number;
}

/** The starts of `index` that would bring it into conflict with `other`, which is at `offset`. */
function forbiddenBy(
  p: Required<Problem>,
  table: OverlapTable,
  index: number,
  other: number,
  offset: number,
): Forbidden {
  const bytes = (p.requests[index] as Request).bytes + p.guardBytes;
  const otherBytes = (p.requests[other] as Request).bytes + p.guardBytes;
  const overlap = table.get(index)?.get(other);
  // Below the other by the distance is as good as below it by the whole size, where that is allowed.
  const below = overlap?.lower === index ? Math.min(overlap.distance, bytes) : bytes;
  const above = overlap?.upper === index ? Math.min(overlap.distance, otherBytes) : otherBytes;
  return { from: offset - below, to: offset + above };
}

/** Places requests in the given order, each into the tightest place between those alive with it. */
function bestFit(p: Required<Problem>, table: OverlapTable, order: readonly number[]): Placement {
  const offsets = new Array<number>(p.requests.length).fill(0);
  const placed: number[] = [];
  let extent = 0;
  for (const index of order) {
    const request = p.requests[index] as Request;
    const conflicts = placed
      .filter((other) => overlapsInTime(request, p.requests[other] as Request))
      .map((other) => forbiddenBy(p, table, index, other, offsets[other] as number))
      .sort((a, b) => a.from - b.from);
    let best = -1;
    let bestSlack = Infinity;
    let cursor = 0;
    for (const { from, to } of conflicts) {
      const start = alignUp(cursor, request.alignment);
      if (start <= from && from - start < bestSlack) {
        best = start;
        bestSlack = from - start;
      }
      cursor = Math.max(cursor, to);
    }
    if (best < 0) best = alignUp(cursor, request.alignment);
    offsets[index] = best;
    placed.push(index);
    extent = Math.max(extent, best + request.bytes);
  }
  return { offsets, extent };
}

type Key = (r: Request) => number;

/** Orders that suit different shapes of network; descending by the keys in turn. */
const heuristics: readonly (readonly Key[])[] = [
  [(r) => r.bytes, (r) => -r.firstStep],
  [(r) => r.lastStep - r.firstStep, (r) => r.bytes],
  [(r) => (r.lastStep - r.firstStep + 1) * r.bytes],
  [(r) => -r.firstStep, (r) => r.bytes],
  [(r) => r.lastStep, (r) => r.bytes],
];

function ordered(requests: readonly Request[], keys: readonly Key[]): number[] {
  return requests
    .map((_, i) => i)
    .sort((a, b) => {
      for (const key of keys) {
        const difference = key(requests[b] as Request) - key(requests[a] as Request);
        if (difference !== 0) return difference;
      }
      return a - b;
    });
}

/** Swaps tried by the local search, and what all rounds together may cost: each is quadratic in the buffers. */
const searchRounds = 400;
const searchBudget = 2e8;

/**
 * Gives every request an offset so that no two alive at the same step overlap, but for overlaps that are allowed, with a
 * small extent: best fit under several orders, then a seeded local search over the best one.
 */
export function assignOffsets(problem: Problem): Placement {
  const p: Required<Problem> = { overlaps: [], guardBytes: 0, ...problem };
  const table = overlapTable(p.guardBytes > 0 ? [] : p.overlaps);
  const count = p.requests.length;
  const bound = p.overlaps.length === 0 ? liveLowerBound(p.requests) : 0;
  let bestOrder: number[] = [];
  let best: Placement = { offsets: [], extent: Infinity };
  const consider = (order: number[]): void => {
    const placement = bestFit(p, table, order);
    if (placement.extent >= best.extent) return;
    best = placement;
    bestOrder = order;
  };
  for (const keys of heuristics) consider(ordered(p.requests, keys));
  if (count < 2 || p.guardBytes > 0) return best;
  const random = seededRandom(1);
  const rounds = Math.min(searchRounds, searchBudget / count ** 2);
  for (let round = 0; round < rounds && best.extent > bound; round++) {
    const order = bestOrder.slice();
    const [moved] = order.splice(random.integer(0, count - 1), 1);
    order.splice(random.integer(0, count - 1), 0, moved as number);
    consider(order);
  }
  return best;
}
