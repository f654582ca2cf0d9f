import { identifier } from "../codegen/c.js";
import { type GeneratedModel, generateModel } from "../codegen/model.js";
import type { Graph, Model } from "../ops/index.js";
import { type LoweredNode, lower } from "../ops/lower.js";
import { runPipeline } from "../passes/pipeline.js";
import { planLayers } from "../plan/layers.js";
import { orderNodes } from "../plan/order.js";
import type { Plan } from "../plan/plan.js";

/** How a model is turned into a planned graph and into C. */
export interface CompileOptions {
  /** The prefix of the generated names; default: the model's name as a C identifier. */
  readonly name?: string;
  /** QUANTIZE and DEQUANTIZE at float inputs and outputs: kept (default), or dropped so that the ports are quantized. */
  readonly floatEdges?: "keep" | "drop";
  /** "none" runs only the passes that code generation needs. */
  readonly passes?: "all" | "none";
  /** Unused bytes between buffers and no shared storage, for tests that look for stray writes. */
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
  readonly options: CompileOptions;
}

/**
 * Runs the passes, chooses kernels and plans memory, in the file's order of operators or in the one of least live bytes,
 * whichever needs less. Throws diagnostics TH3003 and TH4001.
 */
export function planModel(model: Model, options: CompileOptions = {}): PlannedModel {
  const graph = runPipeline(model, { floatEdges: options.floatEdges ?? "keep", optimize: options.passes ?? "all" });
  const name = options.name ?? identifier(model.name);
  const planned = (ordered: Graph): PlannedModel => {
    const nodes = lower(ordered);
    const plan = planLayers(ordered, nodes, { guardBytes: options.guardBytes ?? 0 });
    return { model, name, graph: ordered, nodes, plan, options };
  };
  const given = planned(graph);
  const ordered = orderNodes(graph);
  if (ordered === graph) return given;
  const better = planned(ordered);
  return better.plan.peakBytes < given.plan.peakBytes ? better : given;
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
