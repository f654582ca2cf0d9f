import { invariant } from "../base/assert.js";
import { DiagnosticSink } from "../base/diagnostics.js";
import { checkGraph } from "../ops/check-graph.js";
import type { Graph, Model } from "../ops/index.js";
import { removeDeadChannels } from "./dead-channels.js";
import { removeDeadCode } from "./dead-code.js";
import { dropFloatEdges } from "./edges.js";
import { foldAffine } from "./fold-affine.js";
import { foldConstants } from "./fold-constants.js";
import { fuse } from "./fuse.js";
import { moveTransposes } from "./layout.js";
import type { Pass } from "./pass.js";
import { nameFunctions } from "./patterns.js";
import { trimRecurrent } from "./recurrent.js";
import { simplify } from "./simplify.js";
import { initializeVariables } from "./variables.js";

export interface PipelineOptions {
  /** Whether QUANTIZE and DEQUANTIZE at the model's float inputs and outputs stay; default "keep". */
  readonly floatEdges?: "keep" | "drop";
  /** "none" leaves the graph as the file has it, but for what code generation cannot do without. */
  readonly optimize?: "all" | "none";
  /** Channels that cannot change any output: removed (default), or kept, so that every operator computes all it did. */
  readonly deadChannels?: "remove" | "keep";
  /** Checks the graph after every pass; tests do. */
  readonly check?: "each" | "none";
}

/** Passes that code generation needs. */
const required: readonly Pass[] = [initializeVariables, foldConstants, removeDeadCode];

/** Every pass, in the order they run. */
export const pipeline: readonly Pass[] = [
  initializeVariables,
  foldConstants,
  removeDeadCode,
  trimRecurrent,
  simplify,
  moveTransposes,
  simplify,
  nameFunctions,
  foldAffine,
  fuse,
  removeDeadChannels,
  removeDeadCode,
];

/** Runs the passes over a model's main graph. */
export function runPipeline(model: Model, options: PipelineOptions = {}): Graph {
  const passes = [
    ...(options.floatEdges === "drop" ? [dropFloatEdges] : []),
    ...(options.optimize === "none" ? required : pipeline),
  ].filter((pass) => pass !== removeDeadChannels || options.deadChannels !== "keep");
  return passes.reduce((graph, pass) => {
    const next = pass.run(graph, { subgraphs: model.subgraphs });
    if (options.check === "each") {
      const sink = new DiagnosticSink();
      checkGraph(next, sink, [`after pass "${pass.name}"`]);
      invariant(!sink.hasErrors, `pass "${pass.name}" broke the graph: ${JSON.stringify(sink.all[0])}`);
    }
    return next;
  }, model.main);
}
