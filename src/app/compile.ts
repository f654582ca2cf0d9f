import { identifier } from "../codegen/c.js";
import { type GeneratedModel, generateModel } from "../codegen/model.js";
import type { Graph, Model } from "../ops/index.js";
import { type LoweredNode, lower } from "../ops/lower.js";
import { type RemovedChannels, removedChannels } from "../passes/dead-channels.js";
import { type PipelineOptions, runPipeline } from "../passes/pipeline.js";
import { planIncremental } from "../plan/incremental.js";
import { orderNodes } from "../plan/order.js";
import type { Plan } from "../plan/plan.js";
import { planLayers } from "../plan/planner.js";
import { choosePlan, type Ordered } from "./choose.js";
import type { CompileOptions } from "./compile-options.js";

export { type CompileOptions, type Objective, objectives } from "./compile-options.js";

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
  /** What the removal of dead channels saves. */
  readonly removed: RemovedChannels;
  readonly options: CompileOptions;
}

const isaOf = ({ isa }: CompileOptions) => (isa === undefined ? {} : { isa });

/** What the passes do for a compilation. */
export const pipelineOptions = ({ floatEdges, passes, deadChannels }: CompileOptions): PipelineOptions => ({
  floatEdges: floatEdges ?? "keep",
  optimize: passes ?? "all",
  deadChannels: deadChannels ?? "remove",
});

/**
 * Runs the passes, chooses kernels and plans memory, in the file's order of operators or in the one of least live bytes,
 * whichever serves better. Throws diagnostics TH3003 and TH4001.
 */
export function planModel(model: Model, options: CompileOptions = {}): PlannedModel {
  const passes = pipelineOptions(options);
  const graph = runPipeline(model, passes);
  const removed = removedChannels(runPipeline(model, { ...passes, deadChannels: "keep" }), graph);
  const name = options.name ?? identifier(model.name);
  if (options.incremental !== undefined) {
    const nodes = lower(graph, { sharing: "separate", ...isaOf(options) });
    const plan = planIncremental(graph, nodes, options.incremental);
    const reason = `a hop of ${options.incremental} rows computes what it changes`;
    return { model, name, graph, nodes, plan, layers: planLayers(graph, nodes), reason, removed, options };
  }
  const feed = options.feed ?? "resident";
  const ordered = (g: Graph): Ordered => {
    const nodes = lower(g, isaOf(options));
    return { graph: g, nodes, layers: planLayers(g, nodes, { feed, guardBytes: options.guardBytes ?? 0 }) };
  };
  const other = orderNodes(graph);
  const orders = other === graph ? [ordered(graph)] : [ordered(graph), ordered(other)];
  const { order, plan, reason } = choosePlan(orders, options);
  return { model, name, graph: order.graph, nodes: order.nodes, plan, layers: order.layers, reason, removed, options };
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
