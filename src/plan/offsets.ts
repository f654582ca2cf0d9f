import { seededRandom } from "../base/random.js";
import { alignUp } from "../base/units.js";

/** A buffer to be placed: alive from firstStep to lastStep, both included. */
export interface Request {
  readonly bytes: number;
  readonly alignment: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** An offset for each request, and the end of the highest. */
export interface Placement {
  readonly offsets: readonly number[];
  readonly extent: number;
}

const overlapsInTime = (a: Request, b: Request): boolean => a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;

/** The most bytes alive at any step: no placement is smaller. */
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

/** Places requests in the given order, each into the smallest gap that holds it between those alive with it. */
function bestFit(requests: readonly Request[], order: readonly number[], guardBytes: number): Placement {
  const offsets = new Array<number>(requests.length).fill(0);
  const placed: number[] = [];
  let extent = 0;
  for (const index of order) {
    const request = requests[index] as Request;
    const conflicts = placed
      .filter((other) => overlapsInTime(request, requests[other] as Request))
      .sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
    let best = -1;
    let bestGap = Infinity;
    let cursor = 0;
    for (const other of conflicts) {
      const start = alignUp(cursor, request.alignment);
      const gap = (offsets[other] as number) - start;
      if (gap >= request.bytes + guardBytes && gap < bestGap) {
        best = start;
        bestGap = gap;
      }
      cursor = Math.max(cursor, (offsets[other] as number) + (requests[other] as Request).bytes + guardBytes);
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
 * Gives every request an offset so that no two alive at the same step overlap, with a small extent: best fit under
 * several orders, then a seeded local search over the best one until the live-byte lower bound is met.
 * @param guardBytes unused bytes kept between any two buffers, for tests that look for stray writes
 */
export function assignOffsets(requests: readonly Request[], guardBytes = 0): Placement {
  const bound = liveLowerBound(requests);
  let bestOrder: number[] = [];
  let best: Placement = { offsets: [], extent: Infinity };
  const consider = (order: number[]): boolean => {
    const placement = bestFit(requests, order, guardBytes);
    if (placement.extent >= best.extent) return false;
    best = placement;
    bestOrder = order;
    return true;
  };
  for (const keys of heuristics) consider(ordered(requests, keys));
  if (requests.length < 3) return best;
  const random = seededRandom(1);
  const rounds = Math.min(searchRounds, searchBudget / requests.length ** 2);
  for (let round = 0; round < rounds && best.extent > bound && guardBytes === 0; round++) {
    const order = bestOrder.slice();
    const from = random.integer(0, order.length - 1);
    const [moved] = order.splice(from, 1);
    order.splice(random.integer(0, from), 0, moved as number);
    consider(order);
  }
  return best;
}
