import { seededRandom } from "../base/random.js";
import { alignUp } from "../base/units.js";

/** A buffer to be placed: alive from firstStep to lastStep, both included. */
export interface Request {
  readonly bytes: number;
  readonly alignment: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Two requests that meet in time but may share bytes if `upper` starts at least `distance` bytes above `lower`. */
export interface Overlap {
  readonly lower: number;
  readonly upper: number;
  readonly distance: number;
}

/** What to place. */
export interface Problem {
  readonly requests: readonly Request[];
  readonly overlaps?: readonly Overlap[];
  /** An extent that no placement can go below, where the caller knows one: the search stops when it is reached. */
  readonly bound?: number;
  /** Unused bytes kept between any two buffers, for tests that look for stray writes; overlaps are then not used. */
  readonly guardBytes?: number;
  /** The most orders that the search tries. */
  readonly rounds?: number;
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

/** Distances by the lower request, then by the upper. */
export type OverlapTable = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** The allowed overlaps as a table. */
export function overlapTable(overlaps: readonly Overlap[]): OverlapTable {
  const table = new Map<number, Map<number, number>>();
  for (const { lower, upper, distance } of overlaps) {
    const row = table.get(lower) ?? new Map<number, number>();
    row.set(upper, distance);
    table.set(lower, row);
  }
  return table;
}

/** Starts that a request must not have, both ends excluded; none if `from` is not below `to`. */
interface Forbidden {
  readonly from: number;
  readonly to: number;
}

/** The starts of `index` that would bring it into conflict with `other`, which is at `offset`. */
function forbiddenBy(p: Terms, table: OverlapTable, index: number, other: number, offset: number): Forbidden {
  const bytes = (p.requests[index] as Request).bytes + p.guardBytes;
  const otherBytes = (p.requests[other] as Request).bytes + p.guardBytes;
  // Below the other by the distance is as good as below it by the whole size, where that is allowed.
  const below = Math.min(table.get(index)?.get(other) ?? bytes, bytes);
  const above = Math.min(table.get(other)?.get(index) ?? otherBytes, otherBytes);
  return { from: offset - below, to: offset + above };
}

/** Where a request goes among the gaps that it fits into: the one with least to spare, or the lowest. */
type Fit = "tightest" | "lowest";

/** What a search for a place has to know of the problem. */
type Terms = Pick<Required<Problem>, "requests" | "guardBytes">;

/** Where `index` goes between those of `placed` that are alive with it, which lie at their `offsets`. */
export function startAmong(
  p: Terms,
  table: OverlapTable,
  index: number,
  placed: readonly number[],
  offsets: readonly number[],
  fit: Fit,
): number {
  const request = p.requests[index] as Request;
  const conflicts = placed
    .filter((other) => overlapsInTime(request, p.requests[other] as Request))
    .map((other) => forbiddenBy(p, table, index, other, offsets[other] as number))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from);
  let best = -1;
  let bestSlack = Infinity;
  let cursor = 0;
  for (const { from, to } of conflicts) {
    const start = alignUp(cursor, request.alignment);
    if (start <= from && from - start < bestSlack) {
      best = start;
      if (fit === "lowest") break;
      bestSlack = from - start;
    }
    cursor = Math.max(cursor, to);
  }
  return best < 0 ? alignUp(cursor, request.alignment) : best;
}

/** Places requests in the given order, each between those alive with it. */
function placeInOrder(p: Required<Problem>, table: OverlapTable, order: readonly number[], fit: Fit): Placement {
  const offsets = new Array<number>(p.requests.length).fill(0);
  const placed: number[] = [];
  let extent = 0;
  for (const index of order) {
    const start = startAmong(p, table, index, placed, offsets, fit);
    offsets[index] = start;
    placed.push(index);
    extent = Math.max(extent, start + (p.requests[index] as Request).bytes);
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

/** Orders tried by the local search, and what all of them together may cost: each is quadratic in the buffers. */
const searchRounds = 3000;
const searchBudget = 4e7;
const searchStarts = 4;
/** A few requests have few orders. */
const roundsPerRequest = 60;

/** Requests that reach the end of a placement, and all that are alive with one of them. */
function criticalRequests(requests: readonly Request[], { offsets, extent }: Placement): readonly number[] {
  const top = requests.filter((r, i) => (offsets[i] as number) + r.bytes === extent);
  return requests.flatMap((r, i) => (top.some((t) => overlapsInTime(r, t)) ? [i] : []));
}

/** An order of placement, how it places, and what comes of it. */
interface Attempt {
  readonly order: readonly number[];
  readonly fit: Fit;
  readonly placement: Placement;
}

/**
 * Gives every request an offset so that no two alive at the same step overlap, but for overlaps that are allowed, with a
 * small extent: the best of several orders, then a seeded local search from each of the better ones, which moves a request
 * of the tallest pile to another place in the order. Equally good orders are taken too, so that it does not stay on a
 * plateau.
 */
export function assignOffsets(problem: Problem): Placement {
  const p: Required<Problem> = { overlaps: [], guardBytes: 0, bound: 0, rounds: searchRounds, ...problem };
  const table = overlapTable(p.guardBytes > 0 ? [] : p.overlaps);
  const count = p.requests.length;
  const bound = Math.max(p.bound, p.overlaps.length === 0 ? liveLowerBound(p.requests) : 0);
  const attempt = (order: readonly number[], fit: Fit): Attempt => ({
    order,
    fit,
    placement: placeInOrder(p, table, order, fit),
  });
  const starts = heuristics
    .flatMap((keys) => {
      const order = ordered(p.requests, keys);
      return [attempt(order, "tightest"), attempt(order, "lowest")];
    })
    .sort((a, b) => a.placement.extent - b.placement.extent);
  let best = (starts[0] as Attempt).placement;
  if (count < 2 || p.guardBytes > 0) return best;
  const random = seededRandom(1);
  const rounds = Math.min(p.rounds, roundsPerRequest * count, searchBudget / count ** 2) / searchStarts;
  for (const start of starts.slice(0, searchStarts)) {
    let current = start;
    let critical = criticalRequests(p.requests, current.placement);
    for (let round = 0; round < rounds && best.extent > bound; round++) {
      const order = current.order.slice();
      const moved = critical[random.integer(0, critical.length - 1)] as number;
      order.splice(order.indexOf(moved), 1);
      order.splice(random.integer(0, count - 1), 0, moved);
      const next = attempt(order, current.fit);
      if (next.placement.extent > current.placement.extent) continue;
      current = next;
      critical = criticalRequests(p.requests, current.placement);
      if (current.placement.extent < best.extent) best = current.placement;
    }
  }
  return best;
}
