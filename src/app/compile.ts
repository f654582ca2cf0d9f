import { present } from "../base/assert.js";
import { identifier } from "../codegen/c.js";
import { type GeneratedModel, generateModel } from "../codegen/model.js";
import type { Graph, Model } from "../ops/index.js";
import { type LoweredNode, lower } from "../ops/lower.js";
import { runPipeline } from "../passes/pipeline.js";
import { planIncremental } from "../plan/incremental.js";
import { orderNodes } from "../plan/order.js";
import type { Feed, Plan } from "../plan/plan.js";
import { planLayers, planRows } from "../plan/planner.js";
import type { Region } from "../plan/regions.js";
import { planSpread, slowBytes } from "../plan/spread.js";

/** What a plan is chosen for. */
export const objectives = ["latency", "balanced", "memory"] as const;
export type Objective = (typeof objectives)[number];

/** How a model is turned into a planned graph and into C. */
export interface CompileOptions {
  /** The prefix of the generated names; default: the model's name as a C identifier. */
  readonly name?: string;
  /** QUANTIZE and DEQUANTIZE at float inputs and outputs: kept (default), or dropped so that the ports are quantized. */
  readonly floatEdges?: "keep" | "drop";
  /**
   * "memory": the least RAM. "latency": the fewest instructions of the plans that fit `budgetBytes`. "balanced": the least
   * RAM that costs at most {@link balancedOverhead} more instructions. Default: "latency" with a budget, else "balanced".
   */
  readonly optimize?: Objective;
  /** RAM that a plan may need, in bytes; none: any amount. */
  readonly budgetBytes?: number;
  /**
   * Memories of the board and what arenas may have of each, fastest first. Where none of them holds a plan of what is asked
   * for, its buffers are spread over several, those in the fastest that are touched most.
   */
  readonly regions?: readonly Region[];
  /** "layers" runs every operator on its own, whatever else would be better. */
  readonly plan?: "layers";
  /** "resident" (default): the caller fills the first input in the arena. "pushed": it hands over row by row. */
  readonly feed?: Feed;
  /** Rows of the input that come at a time: compiles incremental inference over a time series. */
  readonly incremental?: number;
  /** "none" runs only the passes that code generation needs. */
  readonly passes?: "all" | "none";
  /** Unused bytes between buffers and no shared storage, for tests that look for stray writes; plans layer by layer. */
  readonly guardBytes?: number;
  /** What the header of generated files says they were made by. */
  readonly commandLine?: string;
}

/** A model on its way to C: after the passes, with kernels chosen and memory planned. */
export interface PlannedModel {
  readonly model: Model;
  readonly name: string;
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly plan: Plan;
  /** The same graph layer by layer, for comparison; `plan` itself if that is what was chosen. */
  readonly layers: Plan;
  /** Why this plan, in words. */
  readonly reason: string;
  readonly options: CompileOptions;
}

/** A graph in some order of its nodes, with plans for it. */
interface Ordered {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly layers: Plan;
}

/** The most instructions that "balanced" spends on streaming, relative to all. */
export const balancedOverhead = 0.05;
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

interface Choice {
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

/** The fastest plan that fits the budget, or, if none does, the smallest. */
function fastest(orders: readonly Ordered[], feed: Feed, budget: number): Choice {
  const layers = orders.reduce(smaller);
  if (layers.layers.peakBytes <= budget) {
    const reason = budget === Infinity ? "the fewest instructions" : `the fastest that fits into ${bytes(budget)}`;
    return { order: layers, plan: layers.layers, reason };
  }
  for (const order of orders) {
    const plan = planRows(order.graph, order.nodes, feed, budget);
    if (plan !== null) return { order, plan, reason: `the fastest that fits into ${bytes(budget)}` };
  }
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

function choose(orders: readonly Ordered[], options: CompileOptions): Choice {
  const { budgetBytes, feed = "resident" } = options;
  const layers = orders.reduce(smaller);
  if (options.plan === "layers") return { order: layers, plan: layers.layers, reason: "asked for layer by layer" };
  if ((options.guardBytes ?? 0) > 0) return { order: layers, plan: layers.layers, reason: "guarded buffers" };
  const objective = options.optimize ?? (budgetBytes === undefined ? "balanced" : "latency");
  if (objective === "memory") return leastMemory(orders, feed);
  if (objective === "latency") return fastest(orders, feed, budgetBytes ?? Infinity);
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

/**
 * Runs the passes, chooses kernels and plans memory, in the file's order of operators or in the one of least live bytes,
 * whichever serves better. Throws diagnostics TH3003 and TH4001.
 */
export function planModel(model: Model, options: CompileOptions = {}): PlannedModel {
  const graph = runPipeline(model, { floatEdges: options.floatEdges ?? "keep", optimize: options.passes ?? "all" });
  const name = options.name ?? identifier(model.name);
  if (options.incremental !== undefined) {
    const nodes = lower(graph, "separate");
    const plan = planIncremental(graph, nodes, options.incremental);
    const reason = `a hop of ${options.incremental} rows computes what it changes`;
    return { model, name, graph, nodes, plan, layers: planLayers(graph, nodes), reason, options };
  }
  const feed = options.feed ?? "resident";
  const ordered = (g: Graph): Ordered => {
    const nodes = lower(g);
    return { graph: g, nodes, layers: planLayers(g, nodes, { feed, guardBytes: options.guardBytes ?? 0 }) };
  };
  const other = orderNodes(graph);
  const orders = other === graph ? [ordered(graph)] : [ordered(graph), ordered(other)];
  const { order, plan, reason } = spreadIfNeeded(choose(orders, options), orders, options);
  return { model, name, graph: order.graph, nodes: order.nodes, plan, layers: order.layers, reason, options };
}

/** Generates the C of a planned model. */
export const generate = ({ name, graph, nodes, plan, model, options }: PlannedModel): GeneratedModel =>
  generateModel({
    name,
    graph,
    nodes,
    plan,
    sha256: model.sha256,
    commandLine: options.commandLine ?? "the thimble library",
  });
