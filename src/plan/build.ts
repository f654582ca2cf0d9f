import { present } from "../base/assert.js";
import { alignUp, type TensorId } from "../base/units.js";
import { leavesOf } from "../ops/placement.js";
import { bufferAlignment, type Draft, draftOf, type Unplaced } from "./draft.js";
import type { Group } from "./groups.js";
import { distanceBelow } from "./occupancy.js";
import { assignOffsets, type Overlap } from "./offsets.js";
import type { Buffer, Plan } from "./plan.js";
import { bytesPerAddress, type Region, type Spread, type SpreadProblem, spreadBuffers } from "./regions.js";
import type { Network } from "./units.js";

const arenaAlignment = 16;

/** The distances at which buffers that are alive together may share bytes. */
function overlapsOf(buffers: readonly Unplaced[]): readonly Overlap[] {
  return buffers.flatMap((a, lower) =>
    buffers.flatMap((b, upper) => {
      if (a === b) return [];
      const distance = distanceBelow(a.occupancy, b.occupancy);
      return distance >= a.occupancy.bytes || distance === -Infinity ? [] : [{ lower, upper, distance }];
    }),
  );
}

/** Tensors that lie in others or are made up of them, each with one that has a buffer. */
function placedTensors({ graph, units }: Network): readonly (readonly [TensorId, TensorId])[] {
  const placements = units.find((u) => u.lowered)?.lowered?.placements;
  if (placements === undefined) return [];
  return [...graph.tensors.keys()].flatMap((id) => {
    const [leaf] = leavesOf(placements, id);
    return leaf && leaf.tensor !== id ? [[id, leaf.tensor] as const] : [];
  });
}

/** The buffers of a draft as something to place. */
const placementProblem = ({ unplaced }: Draft, guardBytes: number): Omit<SpreadProblem, "regions"> => ({
  requests: unplaced.map(({ alignment, occupancy: o }) => ({
    bytes: o.bytes,
    alignment,
    firstStep: o.first,
    lastStep: o.last,
  })),
  overlaps: guardBytes > 0 ? [] : overlapsOf(unplaced),
  guardBytes,
  traffic: unplaced.map((b) => b.traffic),
});

/** The buffer that holds the addresses of all arenas but the first. */
const addressBuffer = (id: number, bytes: number, lastStep: number): Buffer => ({
  id,
  kind: "state",
  tensors: [],
  variable: null,
  name: "addresses of arenas",
  bytes,
  rows: 1,
  rowBytes: bytes,
  alignment: bytesPerAddress,
  region: 0,
  offset: 0,
  firstStep: 0,
  lastStep,
});

/** The plan of a draft whose buffers have places. */
function planOf(draft: Draft, spread: Spread): Plan {
  const { network, strategy, clock, unplaced, steps, groups, liveBytes } = draft;
  const placed = unplaced.map(
    ({ occupancy, traffic, ...b }, id): Buffer => ({
      ...b,
      id,
      bytes: occupancy.bytes,
      ...present(spread.places[id], "place"),
      firstStep: clock.nodeAt[occupancy.first] ?? 0,
      lastStep: clock.nodeAt[occupancy.last] ?? 0,
    }),
  );
  const addresses =
    spread.addressBytes > 0
      ? [addressBuffer(placed.length, spread.addressBytes, clock.nodeAt[clock.firings - 1] ?? 0)]
      : [];
  const buffers = [...placed, ...addresses];
  const bufferOf = new Map(buffers.flatMap((b) => b.tensors.map((id) => [id, b] as const)));
  for (const [id, leaf] of placedTensors(network)) {
    const buffer = bufferOf.get(leaf);
    if (buffer) bufferOf.set(id, buffer);
  }
  return {
    strategy,
    feed: network.pushed === null ? "resident" : "pushed",
    incremental: null,
    pushed: network.pushed,
    steps,
    groups,
    buffers,
    bufferOf,
    bufferOfVariable: new Map(buffers.flatMap((b) => (b.variable === null ? [] : [[b.variable, b] as const]))),
    regions: spread.regions,
    arenaBytes: spread.regions[0]?.bytes ?? 0,
    arenaAlignment,
    peakBytes: spread.regions.reduce((sum, r) => sum + r.bytes, 0),
    peakStep: liveBytes.reduce((best, live, i) => (live > (liveBytes[best] ?? 0) ? i : best), 0),
    liveBytes,
    recomputedMacs: 0,
  };
}

/**
 * Places the buffers of a draft in one arena.
 * @param guardBytes unused bytes between buffers
 */
export function placeDraft(draft: Draft, guardBytes = 0): Plan {
  // The arena's size is rounded up, so that nothing below the next multiple is worth a search.
  const bound = alignUp(Math.max(0, ...draft.liveBytes), bufferAlignment);
  const { offsets, extent } = assignOffsets({ ...placementProblem(draft, guardBytes), bound });
  return planOf(draft, {
    places: offsets.map((offset) => ({ region: 0, offset })),
    regions: [{ name: "RAM", bytes: alignUp(extent, bufferAlignment) }],
    addressBytes: 0,
  });
}

/**
 * Places everything that groups of units need in one arena.
 * @param guardBytes unused bytes between buffers, and no sharing of storage, so that stray writes can be found
 */
export const buildPlan = (network: Network, groups: readonly Group[], guardBytes = 0): Plan =>
  placeDraft(draftOf(network, groups, guardBytes), guardBytes);

/** The same in several arenas, each in a region of its own; null if the regions do not hold it. */
export function buildSpreadPlan(
  network: Network,
  groups: readonly Group[],
  regions: readonly Region[],
  guardBytes = 0,
): Plan | null {
  const draft = draftOf(network, groups, guardBytes);
  const room = regions.reduce((sum, r) => sum + r.bytes, 0);
  if (Math.max(0, ...draft.liveBytes) > room) return null;
  const spread = spreadBuffers({ ...placementProblem(draft, guardBytes), regions });
  return spread && planOf(draft, spread);
}
