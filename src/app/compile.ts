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
import { type Choice, choosePlan, fitsBudget, type Ordered, stripsIfNeeded } from "./choose.js";
import { type CompileOptions, objectiveOf } from "./compile-options.js";
import { typicalCore } from "./isa.js";
import { chooserOf, foldedSteps, type KernelMap, smallestKernels, variantsOf } from "./kernels.js";
import { type LeanSearch, leastRam, squeezed } from "./lean.js";

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
    const nodes = lower(graph, { sharing: "separate", isa: options.isa ?? "portable" });
    const plan = planIncremental(graph, nodes, options.incremental);
    const reason = `a hop of ${options.incremental} rows computes what it changes`;
    return { model, name, graph, nodes, plan, layers: planLayers(graph, nodes), reason, removed, options };
  }
  const { order, plan, reason } = chooseAll(graph, options);
  return { model, name, graph: order.graph, nodes: order.nodes, plan, layers: order.layers, reason, removed, options };
}

/** The graph in the orders that are tried, with given kernels. */
function ordersOf(graph: Graph, kernels: KernelMap, options: CompileOptions): readonly Ordered[] {
  const { isa = "portable", feed = "resident", guardBytes = 0 } = options;
  const ordered = (g: Graph): Ordered => {
    const nodes = lower(g, { isa, choose: chooserOf(kernels) });
    return { graph: g, nodes, layers: planLayers(g, nodes, { feed, guardBytes }) };
  };
  const other = orderNodes(graph);
  return other === graph ? [ordered(graph)] : [ordered(graph), ordered(other)];
}

/** The plan that the options ask for, with the kernels that serve it best. */
function chooseAll(graph: Graph, options: CompileOptions): Choice {
  const { isa = "portable", optimize } = options;
  const ordersWith = (kernels: KernelMap): readonly Ordered[] => ordersOf(graph, kernels, options);
  const planWith = (kernels: KernelMap): Choice => choosePlan(ordersWith(kernels), options);
  const kernels: KernelMap = optimize === "size" ? smallestKernels(graph, isa) : new Map();
  const search = (): LeanSearch => ({ ordersWith, variants: variantsOf(graph, isa), core: typicalCore[isa], options });
  const isLayers = options.plan === "layers" || (options.guardBytes ?? 0) > 0;
  if (optimize === "memory" && options.budgetBytes === undefined && !isLayers) return leastRam(search(), kernels);
  const first = planWith(kernels);
  if (isLayers) return first;
  if (fitsBudget(first.plan, options)) return optimize === "memory" ? leastRam(search(), kernels) : first;
  return stripsIfNeeded(squeezed(search(), first, planWith), ordersWith(kernels), options);
}

/** Generates the C of a planned model. */
export const generate = ({ name, graph, nodes, plan, model, options }: PlannedModel): GeneratedModel =>
  generateModel({
    name,
    graph,
    nodes,
    plan,
    folded: foldedSteps(nodes, typicalCore[options.isa ?? "portable"], objectiveOf(options)),
    sha256: model.sha256,
    commandLine: options.commandLine ?? "the thimble library",
  });
