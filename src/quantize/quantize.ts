import { fail } from "../base/diagnostics.js";
import type { TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type Graph, type Model, type Node, specOf } from "../ops/index.js";
import { runPipeline } from "../passes/pipeline.js";
import type { ActivationType } from "./affine.js";
import { assignQuantization } from "./assign.js";
import { meanError, meanInputs, meanOf } from "./bias-correction.js";
import { type Execute, histograms, interpret, type Observations, type SampleInputs } from "./calibrate.js";
import { type Converted, convert } from "./convert.js";
import type { ObserverName } from "./observers.js";
import { layerMoments, type Moments, roundAdaptively } from "./rounding.js";
import type { WeightBits } from "./weights.js";

export interface QuantizeOptions {
  /** Element type of activations; default int8. */
  readonly activations?: ActivationType;
  /** Bits of weights, for all layers or each (by the name of its output); default 8. int16 activations have 8. */
  readonly weightBits?: WeightBits | ((layer: string) => WeightBits);
  /** How intervals are chosen; default mse. */
  readonly observer?: ObserverName;
  /** Whether biases make up for what rounding the weights does on average; default "on". */
  readonly biasCorrection?: "on" | "off";
  /** Each weight up or down, so that its layer's outputs change least (default), or to the nearest. */
  readonly rounding?: "adaptive" | "nearest";
}

/** A float network and what was seen of it. */
export interface Calibrated {
  /** The graph that is quantized: normalisations folded, activations fused, nothing dead. */
  readonly graph: Graph;
  readonly observations: Observations;
  /** Of the tensors that layers with weights read, the mean of each element. */
  readonly means: ReadonlyMap<TensorId, Float32Array>;
  /** How the inputs of the sums of layers go together. */
  readonly moments: Moments;
}

/** The name of a layer: of its first output. */
export const layerName = (graph: Graph, node: Node): string =>
  node.outputs[0] === undefined ? node.op : (graph.tensors.get(node.outputs[0])?.name ?? node.op);

/** The nodes that have weights. */
export const weightedNodes = (graph: Graph): readonly Node[] =>
  graph.nodes.filter((node) => {
    const { sums } = specOf(node).traits;
    const id = sums === "none" ? null : node.inputs[sums.weights];
    return id !== null && id !== undefined && graph.tensors.get(id)?.data !== null;
  });

/** The float graph that is quantized. Throws TH7002 for a model that is none. */
export function prepare(model: Model): Graph {
  const graph = runPipeline(model);
  const isFloat = graph.nodes.some((n) => n.outputs.some((id) => graph.tensors.get(id)?.dtype === "float32"));
  const isQuantized = graph.nodes.some((n) => n.op === "QUANTIZE" || n.op === "DEQUANTIZE");
  if (isFloat && !isQuantized) return graph;
  return fail("TH7002", {
    where: [model.name],
    found: isQuantized ? "a quantized model" : "no float32 tensors",
    fix: "quantize the float model that this one was made from",
  });
}

/**
 * Runs a float32 network on samples and notes what it computes.
 * @param execute what runs it; default the interpreter
 */
export function calibrate(model: Model, samples: readonly SampleInputs[], execute: Execute = interpret): Calibrated {
  const graph = prepare(model);
  const [seen, means, moments] = [histograms(graph), meanInputs(graph), layerMoments(graph, samples.length)];
  execute(graph, samples, (id, data) => {
    for (const collector of [seen, means, moments]) collector.show(id, data);
  });
  return { graph, observations: seen.result(), means: means.result(), moments: moments.result() };
}

/** Chooses scales and converts; see {@link quantizeModel}. */
export function quantizeCalibrated(calibrated: Calibrated, options: QuantizeOptions = {}): Converted {
  const { graph, observations, means, moments } = calibrated;
  const { activations = "int8", weightBits = 8, biasCorrection = "on", rounding = "adaptive" } = options;
  const quantizations = assignQuantization(graph, observations, activations, options.observer ?? "mse");
  return convert(graph, quantizations, {
    activations,
    meanError: (node, error) => {
      const mean = biasCorrection === "off" ? null : meanOf(graph, means, node);
      return mean === null ? undefined : meanError(graph, node, mean, error);
    },
    round: (node) => {
      const layer = rounding === "adaptive" ? moments.get(node) : undefined;
      return layer && ((scaled, most) => roundAdaptively(layer, scaled, most));
    },
    weightBits: (node) => (typeof weightBits === "number" ? weightBits : weightBits(layerName(graph, node))),
  });
}

/**
 * Post-training quantization of a float32 network: observes it on samples, chooses scales, converts. Inputs and outputs
 * stay float32 behind QUANTIZE and DEQUANTIZE; `dropFloatEdges` takes those away.
 * Source: Jacob et al. 2018; Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference".
 */
export const quantizeModel = (
  model: Model,
  samples: readonly SampleInputs[],
  options: QuantizeOptions & { readonly execute?: Execute } = {},
): Converted => quantizeCalibrated(calibrate(model, samples, options.execute), options);

/** A network's outputs for each sample. */
export type Outputs = readonly (readonly TensorData[])[];
