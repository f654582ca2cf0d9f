import { type Group, groupOf, livePeak } from "./groups.js";
import type { Network } from "./units.js";

/** A group that may be chosen, and the bytes alive at its worst moment. */
interface Candidate {
  readonly group: Group;
  readonly peak: number;
}

/** For each unit the groups that start there, shortest first. */
export type Candidates = readonly (readonly Candidate[])[];

/** The most units of a group: a schedule numbers its steps by bytes. */
const maxUnits = 250;
/** The most firings of a group, and of any stage: counters have 16 bits. */
const maxFirings = 65535;

/** Firings that the search for groups may replay in all; it stops after the length of group that goes beyond. */
const searchFirings = 4e6;

/** Every unit on its own. */
export const separateGroups = (network: Network): readonly Group[] =>
  network.units.flatMap((_, first) => groupOf(network, { first, end: first + 1 }) ?? []);

/**
 * All groups worth a look: each unit on its own, and those of several units whose live bytes stay at or below `cap`. Short
 * groups come first, so that where the work has to end all parts of the network have had their turn.
 */
export function findCandidates(network: Network, cap: number): Candidates {
  const count = network.units.length;
  const found: Candidate[][] = network.units.map(() => []);
  const open = new Set(network.units.keys());
  let firings = 0;
  for (let length = 1; length <= maxUnits && open.size > 0 && firings < searchFirings; length++) {
    for (const first of open) {
      const group = first + length > count ? null : groupOf(network, { first, end: first + length });
      // A unit alone needs no schedule, so it may fire as often as it likes.
      if (group === null || (length > 1 && group.order.length > maxFirings)) {
        open.delete(first);
        continue;
      }
      const peak = livePeak(network, group);
      if (length === 1 || peak <= cap) found[first]?.push({ group, peak });
      firings += group.order.length + group.stages.length ** 2;
    }
  }
  return found;
}

/** A way to cut the network up to some unit. */
interface Cut {
  readonly peak: number;
  readonly streamed: number;
  readonly candidate: Candidate | null;
}

/** Groups that cover the network, and the most bytes alive in any of them. */
export interface Cover {
  readonly groups: readonly Group[];
  readonly peak: number;
}

/**
 * Cuts the network into groups by dynamic programming over the points between units: with the least peak, and of the cuts
 * whose peak is at most `cap` the one with the fewest firings in groups of several units, that is, the fastest.
 */
export function cutNetwork(network: Network, candidates: Candidates, cap: number): Cover {
  const count = network.units.length;
  const best: Cut[] = [{ peak: 0, streamed: 0, candidate: null }];
  for (let first = 0; first < count; first++) {
    const before = best[first];
    if (before === undefined) continue;
    for (const candidate of candidates[first] ?? []) {
      const { group } = candidate;
      const peak = Math.max(before.peak, candidate.peak);
      const streamed = before.streamed + (group.end - group.first > 1 ? group.order.length : 0);
      const known = best[group.end];
      const [over, knownOver] = [Math.max(peak, cap), Math.max(known?.peak ?? Infinity, cap)];
      if (known === undefined || over < knownOver || (over === knownOver && streamed < known.streamed))
        best[group.end] = { peak, streamed, candidate };
    }
  }
  const groups: Group[] = [];
  for (let end = count; end > 0; ) {
    const { group } = (best[end] as Cut).candidate as Candidate;
    groups.unshift(group);
    end = group.first;
  }
  return { groups, peak: best[count]?.peak ?? 0 };
}

/** Ways to cover a network are all listed if there are at most so many; their number doubles with every unit. */
const mostListed = 128;

/** All ways to cover the network, or null if there are too many to list. */
export function allCovers(network: Network, candidates: Candidates): readonly Cover[] | null {
  const count = network.units.length;
  /** Covers of the units from each on. */
  const from: (readonly Cover[])[] = [];
  from[count] = [{ groups: [], peak: 0 }];
  for (let first = count - 1; first >= 0; first--) {
    const covers = (candidates[first] ?? []).flatMap(({ group, peak }) =>
      (from[group.end] ?? []).map(
        (rest): Cover => ({
          groups: [group, ...rest.groups],
          peak: Math.max(peak, rest.peak),
        }),
      ),
    );
    if (covers.length > mostListed) return null;
    from[first] = covers;
  }
  return from[0] ?? [];
}

/** The distinct peaks of candidates from `least` on, ascending, thinned out to `most`. */
export function peaksFrom(candidates: Candidates, least: number, most: number): readonly number[] {
  const peaks = [...new Set(candidates.flatMap((c) => c.map(({ peak }) => peak)))]
    .filter((peak) => peak >= least)
    .sort((a, b) => a - b);
  const step = Math.max(1, peaks.length / most);
  return Array.from({ length: Math.min(most, peaks.length) }, (_, i) => peaks[Math.floor(i * step)] as number);
}
