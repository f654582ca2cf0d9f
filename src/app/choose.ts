import { present } from "../base/assert.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import type { Feed, Plan } from "../plan/plan.js";
import { planLayers, planRows } from "../plan/planner.js";
import { planSpread, slowBytes } from "../plan/spread.js";
import { type CompileOptions, objectiveOf } from "./compile-options.js";
import { planStrips } from "./strips.js";

/** A graph in some order of its nodes, with its plan layer by layer. */
export interface Ordered {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly layers: Plan;
}

/** The most instructions that "balanced" spends on streaming, relative to all. */
const balancedOverhead = 0.05;
/** Instructions of a row's turn in a schedule: the loop, the call, the row pointers. Measured on a Cortex-M4. */
const instructionsPerFiring = 60;
/** Instructions of fast kernels per multiply-accumulate and per other operation: few, so that the overhead is not belittled. */
const instructionsPerMac = 1;

/** The part of a plan's instructions that streaming adds, by estimate. */
function streamingOverhead(nodes: readonly LoweredNode[], plan: Plan): number {
  const firings = plan.groups.reduce((sum, g) => sum + (g.order?.length ?? 0), 0);
  const work = nodes.reduce((sum, n) => {
    const cost = n.spec.cost(n.view);
    return sum + cost.macs + cost.operations;
  }, 0);
  return (firings * instructionsPerFiring) / Math.max(work * instructionsPerMac, 1);
}

const smaller = (a: Ordered, b: Ordered): Ordered => (b.layers.peakBytes < a.layers.peakBytes ? b : a);

const bytes = (n: number): string => `${n.toLocaleString("en-US")} B`;

/** A plan, the graph that it is for, and why it was taken. */
export interface Choice {
  readonly order: Ordered;
  readonly plan: Plan;
  readonly reason: string;
}

/** The plan with the least memory of all orders, streaming if that needs less than layers do. */
function leastMemory(orders: readonly Ordered[], feed: Feed): Choice {
  const layers = orders.reduce(smaller);
  return orders.reduce<Choice>(
    (best, order) => {
      const plan = present(planRows(order.graph, order.nodes, feed), "a plan without a budget");
      return plan.peakBytes < best.plan.peakBytes ? { order, plan, reason: "the least RAM" } : best;
    },
    { order: layers, plan: layers.layers, reason: "streaming would not need less RAM" },
  );
}

/** The plan of the first order that has one with the fewest streamed rows in `budget` bytes. */
function fewestFirings(orders: readonly Ordered[], feed: Feed, budget: number): readonly Choice[] {
  for (const order of orders) {
    const plan = planRows(order.graph, order.nodes, feed, budget);
    if (plan !== null) return [{ order, plan, reason: `the fastest that fits into ${bytes(budget)}` }];
  }
  return [];
}

/** The fastest plan that fits the budget, or, if none does, the smallest. */
function fastest(orders: readonly Ordered[], feed: Feed, budget: number): Choice {
  const layers = orders.reduce(smaller);
  if (layers.layers.peakBytes <= budget) {
    const reason = budget === Infinity ? "nothing is smaller or faster" : `the fastest that fits into ${bytes(budget)}`;
    return { order: layers, plan: layers.layers, reason };
  }
  const [fitting] = fewestFirings(orders, feed, budget);
  if (fitting !== undefined) return fitting;
  const least = leastMemory(orders, feed);
  return budget === 0 ? least : { ...least, reason: `the least RAM, as nothing fits into ${bytes(budget)}` };
}

function balanced(orders: readonly Ordered[], feed: Feed): Choice {
  const least = leastMemory(orders, feed);
  const overhead = streamingOverhead(least.order.nodes, least.plan);
  if (overhead <= balancedOverhead) return least;
  const layers = orders.reduce(smaller);
  const percent = (100 * overhead).toFixed(0);
  const reason = `streaming would need ${bytes(least.plan.peakBytes)} but some ${percent}% more instructions (--optimize memory)`;
  return { order: layers, plan: layers.layers, reason };
}

/** The plan that the objective asks for, regardless of whether it fits. */
function choose(orders: readonly Ordered[], options: CompileOptions): Choice {
  const { budgetBytes, feed = "resident" } = options;
  const layers = orders.reduce(smaller);
  if (options.plan === "layers") return { order: layers, plan: layers.layers, reason: "asked for layer by layer" };
  if ((options.guardBytes ?? 0) > 0) return { order: layers, plan: layers.layers, reason: "guarded buffers" };
  const objective = objectiveOf(options);
  if (objective === "memory") return leastMemory(orders, feed);
  // Layers one by one take the fewest instructions and the least code.
  if (objective === "latency" || objective === "size") return fastest(orders, feed, budgetBytes ?? Infinity);
  return balanced(orders, feed);
}

/** True if only layer by layer will do. */
const takesLayersOnly = ({ plan, guardBytes = 0 }: CompileOptions): boolean => plan === "layers" || guardBytes > 0;

/** True if one memory holds what was chosen, or a smaller plan that a balanced choice passed over. */
function fitsOneRegion(choice: Choice, orders: readonly Ordered[], options: CompileOptions): boolean {
  const { regions = [], optimize, feed = "resident" } = options;
  const room = Math.max(0, ...regions.map((r) => r.bytes));
  if (choice.plan.peakBytes <= room) return true;
  if (takesLayersOnly(options) || optimize !== "balanced") return false;
  return leastMemory(orders, feed).plan.peakBytes <= room;
}

/** The choice, spread over several memories if no single one holds it. */
function spreadIfNeeded(choice: Choice, orders: readonly Ordered[], options: CompileOptions): Choice {
  const { regions = [], feed = "resident", guardBytes = 0, optimize } = options;
  if (regions.length < 2 || fitsOneRegion(choice, orders, options)) return choice;
  const strategy = takesLayersOnly(options) ? "layers" : optimize === "balanced" ? choice.plan.strategy : "rows";
  const spread = orders.flatMap((order): readonly Choice[] => {
    const plan = planSpread(order.graph, order.nodes, { feed, guardBytes, regions, strategy });
    if (plan === null) return [];
    const names = plan.regions.map((r) => r.name).join(" and ");
    const reason = plan.regions.length > 1 ? `no memory holds it alone: spread over ${names}` : `it fits into ${names}`;
    return [{ order, plan, reason }];
  });
  return (
    spread.reduce<Choice | null>(
      (least, c) => (least === null || slowBytes(c.plan, regions) < slowBytes(least.plan, regions) ? c : least),
      null,
    ) ?? choice
  );
}

/** True if a plan needs no more RAM than there is, in one memory or in several. */
export const fitsBudget = (plan: Plan, { budgetBytes = Infinity }: CompileOptions): boolean =>
  plan.regions.length > 1 || plan.peakBytes <= budgetBytes;

/** The choice with strips of columns around its peak, if nothing that computes everything once fits the budget. */
export function stripsIfNeeded(choice: Choice, orders: readonly Ordered[], options: CompileOptions): Choice {
  const { budgetBytes = Infinity, feed = "resident", isa = "portable" } = options;
  if (
    fitsBudget(choice.plan, options) ||
    budgetBytes === 0 ||
    takesLayersOnly(options) ||
    options.optimize === "balanced"
  )
    return choice;
  const least = leastMemory(orders, feed);
  if (least.plan.peakBytes <= budgetBytes) return choice;
  const found = planStrips(least.order.graph, least.plan, { feed, isa }, budgetBytes);
  if (found === null) return choice;
  const { graph, nodes, plan, strips } = found;
  const reason = `nothing else fits into ${bytes(budgetBytes)}: ${strips} strips of columns, which compute ${plan.recomputedMacs.toLocaleString("en-US")} MACs twice`;
  return { order: { graph, nodes, layers: planLayers(graph, nodes, { feed }) }, plan, reason };
}

/** Parts of what streaming saves that are given up for plans that stream less than the one with the least memory. */
const partsGivenUp = [0.1, 0.25, 0.5, 0.75];

/**
 * Plans to choose from where memory counts: the least, layers one by one, and, if the least takes `tooLong`, some between;
 * each spread over several memories where it must be.
 */
export function memoryChoices(
  orders: readonly Ordered[],
  options: CompileOptions,
  tooLong: (choice: Choice) => boolean,
): readonly Choice[] {
  const { feed = "resident" } = options;
  const least = leastMemory(orders, feed);
  const order = orders.reduce(smaller);
  const layers: Choice = { order, plan: order.layers, reason: "streaming would take many more instructions" };
  const saved = layers.plan.peakBytes - least.plan.peakBytes;
  const budgets = partsGivenUp.map((part) => least.plan.peakBytes + part * saved);
  const between = tooLong(least) ? budgets.flatMap((budget) => fewestFirings(orders, feed, Math.floor(budget))) : [];
  const named = between.map((c) => ({ ...c, reason: "the least RAM at little cost" }));
  const all = least.plan === layers.plan ? [least] : [least, layers, ...named];
  return all.map((choice) => spreadIfNeeded(choice, orders, options));
}

/** Choices in `budget` bytes whose plan streams as few rows as it can. */
export const choicesWithin = (orders: readonly Ordered[], options: CompileOptions, budget: number): readonly Choice[] =>
  fewestFirings(orders, options.feed ?? "resident", budget).map((c) => ({
    ...spreadIfNeeded(c, orders, options),
    reason: "the least RAM at little cost",
  }));

/** The plan that the objective asks for, spread over several memories where it must be. */
export const choosePlan = (orders: readonly Ordered[], options: CompileOptions): Choice =>
  spreadIfNeeded(choose(orders, options), orders, options);
