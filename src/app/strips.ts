import { viewOf } from "../ir/graph.js";
import { type Graph, specOf } from "../ops/index.js";
import type { Isa } from "../ops/isa.js";
import { type LoweredNode, lower } from "../ops/lower.js";
import { type Segment, tileColumns } from "../passes/tile.js";
import type { Feed, Plan } from "../plan/plan.js";
import { planRows } from "../plan/planner.js";

/** A graph some of whose nodes work in strips of columns, and its plan. */
export interface StripPlan {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly plan: Plan;
  readonly strips: number;
}

/** Numbers of strips that are tried, and how many ways to cut are planned before giving up. */
const stripCounts = [2, 3, 4, 6, 8] as const;
const mostPlans = 16;
/** How far before and after the peak a segment may begin and end. */
const farthest = 12;

const macsOf = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => sum + specOf(node).cost(viewOf(graph, node) as never).macs, 0);

/** Segments around a node, nearest first. */
function* segmentsAround(peak: number, count: number): Generator<Segment> {
  for (let before = 0; before <= Math.min(peak, farthest); before++)
    for (let after = 1; after <= Math.min(count - peak, farthest); after++)
      if (before + after > 1) yield { first: peak - before, end: peak + after };
}

/**
 * A plan that fits `budget` because nodes around the peak of `least`, the plan with the least memory otherwise, compute one
 * strip of columns after the other; of those the one that computes least twice. Null if no way of cutting that is tried
 * fits. This is the last resort: `recomputedMacs` says what it costs.
 */
export function planStrips(
  graph: Graph,
  least: Plan,
  options: { readonly feed: Feed; readonly isa: Isa },
  budget: number,
): StripPlan | null {
  const macs = macsOf(graph);
  const ways = [...segmentsAround(least.peakStep, graph.nodes.length)].flatMap((segment) =>
    stripCounts.flatMap((strips) => {
      const cut = tileColumns(graph, segment, strips);
      return cut === null ? [] : [{ cut, strips, twice: macsOf(cut) - macs }];
    }),
  );
  for (const { cut, strips, twice } of ways.sort((a, b) => a.twice - b.twice).slice(0, mostPlans)) {
    const nodes = lower(cut, { isa: options.isa });
    const plan = planRows(cut, nodes, options.feed, budget);
    if (plan !== null) return { graph: cut, nodes, plan: { ...plan, recomputedMacs: twice }, strips };
  }
  return null;
}
