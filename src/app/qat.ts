import type { Graph } from "../ops/index.js";
import { assignQuantization } from "../quantize/assign.js";
import { type Converted, convert } from "../quantize/convert.js";
import { fakeQuantized, learnedQuantization } from "../quantize/fake.js";
import type { ObserverName } from "../quantize/observers.js";
import type { Calibrated } from "../quantize/quantize.js";
import type { WeightBits } from "../quantize/weights.js";
import { type TrainJob, type TrainJobOptions, trainNetwork } from "./train.js";

export interface QatOptions extends Omit<TrainJobOptions, "network"> {
  readonly observer?: ObserverName;
  /** Bits of the weights of a layer, by the name of its output. */
  readonly weightBits?: (layer: string) => WeightBits;
}

/** What quantization-aware training gave. */
export interface QatJob {
  readonly training: TrainJob;
  readonly converted: Converted;
}

/**
 * Quantization-aware training: goes on training a calibrated network that computes with what integers hold, scales
 * learnt along with the weights, and converts it with those scales. Batch normalisation is part of the weights already, as
 * it is on the device.
 * Source: Jacob et al. 2018 (simulated quantization); Esser et al. 2020 (learned steps).
 */
export async function quantizationAwareTraining(calibrated: Calibrated, options: QatOptions): Promise<QatJob> {
  const { observer = "mse", weightBits = () => 8, ...rest } = options;
  const { graph, observations } = calibrated;
  const nameOf = (id: number | undefined): string =>
    id === undefined ? "" : (graph.tensors.get(id as never)?.name ?? "");
  const bits = (node: Graph["nodes"][number]): WeightBits => weightBits(nameOf(node.outputs[0]));
  const quantizations = assignQuantization(graph, observations, "int8", observer);
  const faked = fakeQuantized(graph, quantizations, { activations: "int8", weightBits: bits });
  const fixed = new Set([...faked.fixed].map((id) => faked.graph.tensors.get(id)?.name));
  const training = await trainNetwork({
    ...rest,
    network: { graph: faked.graph },
    frozen: (name) => fixed.has(name) || (rest.frozen?.(name) ?? false),
  });
  const learned = learnedQuantization(training.graph);
  const converted = convert(learned.graph, learned.quantizations, {
    activations: "int8",
    weightBits: bits,
    weightScales: learned.weightScales,
  });
  return { training, converted };
}
