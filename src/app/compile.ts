import { identifier } from "../codegen/c.js";
import { type GeneratedModel, generateModel } from "../codegen/model.js";
import type { Graph, Model } from "../ops/index.js";
import { type LoweredNode, lower } from "../ops/lower.js";
import { runPipeline } from "../passes/pipeline.js";
import { planIncremental } from "../plan/incremental.js";
import { orderNodes } from "../plan/order.js";
import type { Feed, Plan } from "../plan/plan.js";
import { planLayers } from "../plan/planner.js";
import type { Region } from "../plan/regions.js";
import { choosePlan, type Ordered } from "./choose.js";

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
   * RAM that costs at most 5% more instructions by estimate. Default: "latency" with a budget, else "balanced".
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
  const { order, plan, reason } = choosePlan(orders, options);
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
