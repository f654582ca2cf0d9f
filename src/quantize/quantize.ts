import { fail } from "../base/diagnostics.js";
import type { Graph, Model, Node } from "../ops/index.js";
import { runPipeline } from "../passes/pipeline.js";
import type { ActivationType } from "./affine.js";
import { assignQuantization } from "./assign.js";
import { type Execute, interpret, observe, type SampleInputs } from "./calibrate.js";
import { type Converted, convert } from "./convert.js";
import type { ObserverName } from "./observers.js";
import type { WeightBits } from "./weights.js";

export interface QuantizeOptions {
  /** Element type of activations; default int8. */
  readonly activations?: ActivationType;
  /** Bits of weights, for all layers or each (by the name of its output); default 8. int16 activations have 8. */
  readonly weightBits?: WeightBits | ((layer: string) => WeightBits);
  /** How intervals are chosen; default mse. */
  readonly observer?: ObserverName;
  /** What runs the float network; default the interpreter. */
  readonly execute?: Execute;
}

/** The name of a layer: of its first output. */
export const layerName = (graph: Graph, node: Node): string =>
  node.outputs[0] === undefined ? node.op : (graph.tensors.get(node.outputs[0])?.name ?? node.op);

/** The float graph that is quantized: normalisations folded, activations fused, nothing dead. */
export const prepare = (model: Model): Graph => runPipeline(model);

/**
 * Post-training quantization of a float32 network: observes it on samples, chooses scales, converts. Inputs and outputs
 * stay float32 behind QUANTIZE and DEQUANTIZE; `dropFloatEdges` takes those away.
 * Source: Jacob et al. 2018; Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference".
 */
export function quantizeModel(model: Model, samples: Iterable<SampleInputs>, options: QuantizeOptions = {}): Converted {
  const graph = prepare(model);
  const isFloat = graph.nodes.some((n) => n.outputs.some((id) => graph.tensors.get(id)?.dtype === "float32"));
  const isQuantized = graph.nodes.some((n) => n.op === "QUANTIZE" || n.op === "DEQUANTIZE");
  if (!isFloat || isQuantized) {
    const fix = "quantize the float model that this one was made from";
    fail("TH7002", { where: [model.name], found: isQuantized ? "a quantized model" : "no float32 tensors", fix });
  }
  const { activations = "int8", observer = "mse", weightBits = 8, execute = interpret } = options;
  const observations = observe(graph, samples, execute);
  const quantizations = assignQuantization(graph, observations, activations, observer);
  return convert(graph, quantizations, {
    activations,
    weightBits: (node) => (typeof weightBits === "number" ? weightBits : weightBits(layerName(graph, node))),
  });
}
