import { invariant } from "../base/assert.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { buildPlan } from "./build.js";
import { allCovers, type Cover, cutNetwork, findCandidates, peaksFrom, separateGroups } from "./cuts.js";
import { type Group, groupOf, livePeak } from "./groups.js";
import type { Feed, Plan } from "./plan.js";
import type { Range } from "./sharing.js";
import { type Network, networkOf } from "./units.js";
import { verifyPlan } from "./verifier.js";

export interface PlanOptions {
  /** Default "resident". */
  readonly feed?: Feed;
  /** Unused bytes between buffers and no sharing of storage, so that stray writes can be found; default 0. */
  readonly guardBytes?: number;
}

/** Plans execution one node at a time in the graph's order; the result is verified by replay before it is returned. */
export function planLayers(graph: Graph, nodes: readonly LoweredNode[], options: PlanOptions = {}): Plan {
  const guardBytes = options.guardBytes ?? 0;
  const network = networkOf(graph, nodes, options.feed ?? "resident", guardBytes > 0 ? "separate" : "share");
  const plan = buildPlan(network, separateGroups(network), guardBytes);
  verifyPlan(graph, nodes, plan);
  return plan;
}

/** Plans with the groups that the caller gives; nodes that cannot stream together are an error of the caller. */
export function planGroups(graph: Graph, nodes: readonly LoweredNode[], ranges: readonly Range[], feed: Feed): Plan {
  const network = networkOf(graph, nodes, feed, "share");
  const groups = ranges.map((range) => {
    const group = groupOf(network, range);
    invariant(group !== null, `units ${range.first} to ${range.end - 1} cannot stream together`);
    return group;
  });
  const plan = buildPlan(network, groups);
  verifyPlan(graph, nodes, plan);
  return plan;
}

/** A cover's groups, and where that keeps fewer bytes alive, also with groups that fire in the other order. */
function firingOrders(network: Network, { groups }: Cover): readonly (readonly Group[])[] {
  const others = groups.map((group) => {
    if (group.end - group.first === 1) return group;
    const other = groupOf(network, group, "push");
    return other !== null && livePeak(network, other) < livePeak(network, group) ? other : group;
  });
  return others.every((group, i) => group === groups[i]) ? [groups] : [others, groups];
}

/** A cover placed, with the order of firing that needs less. */
const placeCover = (network: Network, cover: Cover): Plan =>
  firingOrders(network, cover)
    .map((groups) => buildPlan(network, groups))
    .reduce((best, plan) => (plan.peakBytes < best.peakBytes ? plan : best));

/** How many covers of a large network are placed: one for each of so many caps of live bytes. */
const mostCovers = 12;

/** The firings of a cover that a schedule drives: what it costs. */
const streamedFirings = ({ groups }: Cover): number =>
  groups.reduce((sum, g) => (g.end - g.first > 1 ? sum + g.order.length : sum), 0);

/**
 * Ways to group the units, the one with the fewest live bytes first: all of them for a small network, else the fastest for
 * each of some caps.
 */
export function coversByPeak(network: Network, cap: number): readonly Cover[] {
  const candidates = findCandidates(network, cap);
  const all = allCovers(network, candidates);
  if (all !== null) return all.toSorted((a, b) => a.peak - b.peak || streamedFirings(a) - streamedFirings(b));
  const { peak: least } = cutNetwork(network, candidates, 0);
  const covers = new Map<string, Cover>();
  for (const most of peaksFrom(candidates, least, mostCovers)) {
    const cover = cutNetwork(network, candidates, most);
    covers.set(cover.groups.map((g) => g.first).join(), cover);
  }
  return [...covers.values()];
}

/** The plan with the least memory: no cover is placed whose live bytes alone are as many as a plan found before. */
function leastPlan(network: Network, layers: Plan): Plan {
  let best = layers;
  for (const cover of coversByPeak(network, layers.peakBytes)) {
    if (cover.peak >= best.peakBytes) continue;
    const plan = placeCover(network, cover);
    if (plan.peakBytes < best.peakBytes) best = plan;
  }
  return best;
}

/** The plan with the fewest streamed firings that needs at most `budget` bytes, or null. */
function fastestWithin(network: Network, layers: Plan, budget: number): Plan | null {
  if (layers.peakBytes <= budget) return layers;
  const fitting = coversByPeak(network, layers.peakBytes).filter((c) => c.peak <= budget);
  for (const cover of fitting.toSorted((a, b) => streamedFirings(a) - streamedFirings(b))) {
    const plan = placeCover(network, cover);
    if (plan.peakBytes <= budget) return plan;
  }
  return null;
}

/**
 * Plans with streaming: the least memory, or, if `budget` is given, the fastest of the plans that need at most so many
 * bytes. Null if no plan does.
 */
export function planRows(
  graph: Graph,
  nodes: readonly LoweredNode[],
  feed: Feed,
  budget: number | null = null,
): Plan | null {
  const network = networkOf(graph, nodes, feed, "share");
  // Layers do not always pack as tightly as their live bytes; what streams only has to need less than they do.
  const layers = buildPlan(network, separateGroups(network));
  const plan = budget === null ? leastPlan(network, layers) : fastestWithin(network, layers, budget);
  if (plan !== null) verifyPlan(graph, nodes, plan);
  return plan;
}
