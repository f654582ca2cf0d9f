import { alignUp } from "../base/units.js";
import {
  assignOffsets,
  type OverlapTable,
  overlapTable,
  type Placement,
  type Problem,
  type Request,
  startAmong,
} from "./offsets.js";
import type { PlanRegion } from "./plan.js";

/** RAM that an arena may lie in. */
export interface Region {
  readonly name: string;
  /** Bytes that an arena may have there: what the stack takes is left out. */
  readonly bytes: number;
}

/** Buffers to place in several regions. */
export interface SpreadProblem extends Pick<Required<Problem>, "requests" | "overlaps" | "guardBytes"> {
  /** Bytes read and written of each request in one inference. */
  readonly traffic: readonly number[];
  /** Fastest first. */
  readonly regions: readonly Region[];
}

/** Where each request lies, and the regions that hold something. */
export interface Spread {
  readonly places: readonly { readonly region: number; readonly offset: number }[];
  readonly regions: readonly PlanRegion[];
  /** Bytes at the start of the first arena that hold the addresses of the others; 0 if there are none. */
  readonly addressBytes: number;
}

/** The address of an arena takes so many bytes, whatever the size of a pointer. */
export const bytesPerAddress = 8;
/** Arenas end at a multiple of this. */
const granularity = 4;

/** How often buffers that found no place may come first, and what all attempts together may cost. */
const attempts = 200;
const attemptBudget = 2e7;
/** Orders that are tried to see whether one more buffer fits into a region. */
const trialRounds = 40;

/** The buffers of one region, with an offset for each request (meaningless for those of other regions). */
interface Share {
  readonly members: readonly number[];
  readonly offsets: readonly number[];
  readonly extent: number;
}

/** The problem, with what follows from it. */
interface Context extends SpreadProblem {
  readonly table: OverlapTable;
  readonly capacities: readonly number[];
}

const extentOf = (p: SpreadProblem, members: readonly number[], offsets: readonly number[]): number =>
  members.reduce((end, i) => Math.max(end, (offsets[i] as number) + (p.requests[i] as Request).bytes), 0);

/** Places one buffer among those of a region, or returns null if the region is then too small. */
function added(c: Context, share: Share, region: number, index: number): Share | null {
  const start = startAmong(c, c.table, index, share.members, share.offsets, "tightest");
  const end = start + (c.requests[index] as Request).bytes;
  if (end > (c.capacities[region] as number)) return null;
  return {
    members: [...share.members, index],
    offsets: share.offsets.with(index, start),
    extent: Math.max(share.extent, end),
  };
}

/** Places the buffers of one region anew, with so many orders tried. */
function repacked(c: Context, members: readonly number[], rounds: number | null): Share {
  const at = new Map(members.map((index, i) => [index, i] as const));
  const overlaps = c.overlaps.flatMap(({ lower, upper, distance }) => {
    const [l, u] = [at.get(lower), at.get(upper)];
    return l === undefined || u === undefined ? [] : [{ lower: l, upper: u, distance }];
  });
  const requests = members.map((i) => c.requests[i] as Request);
  const placement: Placement = assignOffsets({
    requests,
    overlaps,
    guardBytes: c.guardBytes,
    ...(rounds === null ? {} : { rounds }),
  });
  const offsets = c.requests.map((_, i) => placement.offsets[at.get(i) ?? -1] ?? 0);
  return { members, offsets, extent: extentOf(c, members, offsets) };
}

/** Places one more buffer in a region whose others may move; null if it does not fit even so. */
function squeezed(c: Context, share: Share, region: number, index: number): Share | null {
  if ((c.requests[index] as Request).bytes > (c.capacities[region] as number)) return null;
  const anew = repacked(c, [...share.members, index], trialRounds);
  return anew.extent <= (c.capacities[region] as number) ? anew : null;
}

/**
 * Gives each buffer of `order` the first region with room for it: `urgent` ones from the slowest, others from the fastest.
 * Where none has room, others make way within their region.
 */
function distribute(
  c: Context,
  urgent: readonly number[],
  order: readonly number[],
): { readonly shares: readonly Share[]; readonly homeless: readonly number[] } {
  const shares: Share[] = c.regions.map(() => ({ members: [], offsets: c.requests.map(() => 0), extent: 0 }));
  const homeless: number[] = [];
  const fastestFirst = [...c.regions.keys()];
  const slowestFirst = fastestFirst.toReversed();
  const enters = (index: number, regions: readonly number[], enter: typeof added): boolean =>
    regions.some((region) => {
      const share = enter(c, shares[region] as Share, region, index);
      if (share !== null) shares[region] = share;
      return share !== null;
    });
  const settle = (index: number, regions: readonly number[]): void => {
    if (!enters(index, regions, added) && !enters(index, slowestFirst, squeezed)) homeless.push(index);
  };
  for (const index of urgent) settle(index, slowestFirst);
  for (const index of order) if (!urgent.includes(index)) settle(index, fastestFirst);
  return { shares, homeless };
}

/**
 * A region for each buffer. The hottest come first and take the fastest region with room; whatever finds no place comes
 * first in the next attempt ("squeaky wheel" optimization: Joslin and Clements, JAIR 1999), and takes the slowest. Null if
 * no attempt places all.
 */
function firstShares(c: Context, hottestFirst: readonly number[]): readonly Share[] | null {
  const largest = Math.max(...c.capacities);
  if (c.requests.some((r) => r.bytes > largest)) return null;
  let urgent: readonly number[] = [];
  const limit = Math.min(attempts, 1 + attemptBudget / c.requests.length ** 2);
  for (let attempt = 0; attempt < limit; attempt++) {
    const { shares, homeless } = distribute(c, urgent, hottestFirst);
    if (homeless.length === 0) return shares;
    urgent = [...homeless, ...urgent.filter((i) => !homeless.includes(i))];
  }
  return null;
}

/** Moves buffers to faster regions as long as they fit there, hottest first: packed with care, a region holds more. */
function pulled(c: Context, shares: readonly Share[], hottestFirst: readonly number[]): readonly Share[] {
  const now = shares.slice();
  for (let fast = 0; fast < now.length - 1; fast++) {
    for (const index of hottestFirst) {
      const from = now.findIndex(({ members }) => members.includes(index));
      const trial = from <= fast ? null : squeezed(c, now[fast] as Share, fast, index);
      if (trial === null) continue;
      const rest = now[from] as Share;
      const members = rest.members.filter((i) => i !== index);
      now[from] = { ...rest, members, extent: extentOf(c, members, rest.offsets) };
      now[fast] = trial;
    }
  }
  return now;
}

/** As small as the search gets it; what was there before if that is smaller. */
function packed(c: Context, share: Share): Share {
  if (share.members.length === 0) return share;
  const anew = repacked(c, share.members, null);
  return anew.extent < share.extent ? anew : share;
}

/** The shares as arenas one after another, without the regions that hold nothing. */
function spreadOf(p: SpreadProblem, shares: readonly Share[]): Spread {
  const used = shares.flatMap(({ members }, region) => (members.length > 0 ? [region] : []));
  const addressBytes = bytesPerAddress * Math.max(used.length - 1, 0);
  const before = (arena: number): number => (arena === 0 ? addressBytes : 0);
  return {
    places: p.requests.map((_, i) => {
      const region = used.findIndex((r) => shares[r]?.members.includes(i));
      const offset = shares[used[region] as number]?.offsets[i] ?? 0;
      return { region, offset: before(region) + offset };
    }),
    regions: used.map((r, arena) => ({
      name: p.regions[r]?.name ?? "",
      bytes: alignUp(before(arena) + (shares[r]?.extent ?? 0), granularity),
    })),
    addressBytes,
  };
}

/**
 * Places buffers in several regions of different speed: those that are touched most per byte go to the fastest region as
 * long as they fit together there, others to the next, and so on. Buffers that live at different times share bytes, and
 * overlap where that is allowed, only inside a region. Null if no such placement is found.
 */
export function spreadBuffers(p: SpreadProblem): Spread | null {
  const reserve = bytesPerAddress * (p.regions.length - 1);
  const capacities = p.regions.map(({ bytes }) => Math.floor(bytes / granularity) * granularity - reserve);
  const context: Context = { ...p, capacities, table: overlapTable(p.guardBytes > 0 ? [] : p.overlaps) };
  const heat = p.requests.map(({ bytes }, i) => (p.traffic[i] ?? 0) / Math.max(bytes, 1));
  const hottestFirst = [...p.requests.keys()].sort((a, b) => (heat[b] as number) - (heat[a] as number) || a - b);
  const shares = firstShares(context, hottestFirst);
  if (shares === null) return null;
  return spreadOf(
    p,
    pulled(context, shares, hottestFirst).map((s) => packed(context, s)),
  );
}
