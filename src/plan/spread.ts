import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { buildPlan, buildSpreadPlan } from "./build.js";
import { separateGroups } from "./cuts.js";
import type { Plan } from "./plan.js";
import { coversByPeak, type PlanOptions } from "./planner.js";
import type { Region } from "./regions.js";
import { networkOf } from "./units.js";
import { verifyPlan } from "./verifier.js";

/** How a plan is spread over regions of RAM. */
export interface SpreadOptions extends PlanOptions {
  /** Fastest first. */
  readonly regions: readonly Region[];
  /** "layers": every step on its own. "rows": the groups that need the least memory. */
  readonly strategy: Plan["strategy"];
}

/** Streaming covers that are tried, of the least live bytes. */
const mostCovers = 8;

/** Bytes of a plan outside the fastest of the regions. */
export const slowBytes = (plan: Plan, [fastest]: readonly Region[]): number =>
  plan.regions.reduce((sum, r) => sum + (r.name === fastest?.name ? 0 : r.bytes), 0);

/**
 * Plans for a board none of whose memories holds an arena alone: the plan with the fewest bytes outside the fastest region.
 * Null if all regions together do not hold one.
 */
export function planSpread(graph: Graph, nodes: readonly LoweredNode[], options: SpreadOptions): Plan | null {
  const { regions, strategy, feed = "resident", guardBytes = 0 } = options;
  const network = networkOf(graph, nodes, feed, guardBytes > 0 ? "separate" : "share");
  const separate = separateGroups(network);
  const layersPeak = buildPlan(network, separate, guardBytes).peakBytes;
  const streamed = strategy === "rows" ? coversByPeak(network, layersPeak).slice(0, mostCovers) : [];
  const best = [...streamed.map((cover) => cover.groups), separate]
    .map((groups) => buildSpreadPlan(network, groups, regions, guardBytes))
    .filter((plan) => plan !== null)
    .reduce<Plan | null>(
      (least, plan) => (least === null || slowBytes(plan, regions) < slowBytes(least, regions) ? plan : least),
      null,
    );
  if (best !== null) verifyPlan(graph, nodes, best);
  return best;
}
