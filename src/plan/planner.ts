import { invariant } from "../base/assert.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { buildPlan } from "./build.js";
import { type Candidates, type Cover, cutNetwork, findCandidates, separateGroups } from "./cuts.js";
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

/** Live bytes are a lower bound, and buffers do not always pack that well, so cuts a little above it are tried too. */
const slack = [1, 1.02, 1.05, 1.1, 1.2] as const;

/** The same ranges with each streaming group in the other order of firing, where that needs less. */
function withBestPolicies(network: Network, { groups }: Cover): readonly Group[] {
  return groups.map((group) => {
    if (group.end - group.first === 1) return group;
    const other = groupOf(network, group, "push");
    return other !== null && livePeak(network, other) < livePeak(network, group) ? other : group;
  });
}

/** Ways to group the units within each of some caps of live bytes, each way once. */
function* coversWithin(
  network: Network,
  candidates: Candidates,
  caps: readonly number[],
): Generator<readonly Group[], void> {
  const tried = new Set([
    separateGroups(network)
      .map((g) => g.first)
      .join(),
  ]);
  for (const cap of caps) {
    const cover = cutNetwork(network, candidates, cap);
    const key = cover.groups.map((g) => g.first).join();
    if (tried.has(key)) continue;
    tried.add(key);
    yield withBestPolicies(network, cover);
  }
}

/** Ways to group the units that keep the least bytes alive, or little more; each unit on its own comes last. */
export function leastCovers(network: Network): readonly (readonly Group[])[] {
  const separate = separateGroups(network);
  const candidates = findCandidates(network, Math.max(0, ...separate.map((g) => livePeak(network, g))));
  const least = cutNetwork(network, candidates, 0).peak;
  return [
    ...coversWithin(
      network,
      candidates,
      slack.map((s) => least * s),
    ),
    separate,
  ];
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
  const separate = separateGroups(network);
  const layers = buildPlan(network, separate);
  if (budget !== null && layers.peakBytes <= budget) {
    verifyPlan(graph, nodes, layers);
    return layers;
  }
  // Layers do not always pack as tightly as their live bytes; what streams only has to need less than they do.
  const candidates = findCandidates(network, layers.peakBytes);
  const least = cutNetwork(network, candidates, 0).peak;
  const caps = budget === null ? slack.map((s) => least * s) : slack.map((s) => Math.max(budget / s, least));
  let best = layers;
  for (const groups of coversWithin(network, candidates, caps)) {
    const plan = buildPlan(network, groups);
    if (budget !== null && plan.peakBytes <= budget) {
      verifyPlan(graph, nodes, plan);
      return plan;
    }
    if (plan.peakBytes < best.peakBytes) best = plan;
  }
  if (budget !== null) return null;
  verifyPlan(graph, nodes, best);
  return best;
}
