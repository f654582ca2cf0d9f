import { elementsOf } from "../base/dtype.js";
import { tensorId } from "../base/units.js";
import type { Graph } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import type { SampleInputs } from "./calibrate.js";
import { productsOf } from "./products.js";
import {
  type Calibrated,
  fourBitNodes,
  layerName,
  type Outputs,
  type QuantizeOptions,
  quantizeCalibrated,
} from "./quantize.js";
import type { WeightBits } from "./weights.js";

/** What a layer's weights at 4 bits cost and save. */
export interface LayerSensitivity {
  readonly layer: string;
  readonly op: string;
  /** Bytes of the weights at 8 bits. */
  readonly weightBytes: number;
  /** Noise over signal of the network's outputs when this layer alone has 4 bits, less that of 8 bits everywhere. */
  readonly noise: number;
}

/** The outputs of a graph for each sample, by the interpreter. */
export function outputsOf(graph: Graph, samples: readonly SampleInputs[]): Outputs {
  const session = createSession({ main: graph, subgraphs: [] });
  return samples.map((inputs) => {
    session.reset();
    return session.invoke(inputs);
  });
}

/** Squared difference over squared signal, of all outputs and samples. */
export function noiseOf(wanted: Outputs, found: Outputs): number {
  let [signal, noise] = [0, 0];
  wanted.forEach((outputs, s) => {
    outputs.forEach((data, o) => {
      const other = found[s]?.[o] as Float32Array;
      (data as Float32Array).forEach((v, i) => {
        signal += v * v;
        noise += (v - (other[i] as number)) ** 2;
      });
    });
  });
  return signal === 0 ? 0 : noise / signal;
}

/** How much each layer's weights matter, most of all first per byte. */
export function layerSensitivities(
  calibrated: Calibrated,
  samples: readonly SampleInputs[],
  options: QuantizeOptions = {},
  onLayer: (done: number, count: number) => void = () => {},
): readonly LayerSensitivity[] {
  const { graph } = calibrated;
  const wanted = outputsOf(graph, samples);
  const noiseAt = (weightBits: QuantizeOptions["weightBits"]): number =>
    noiseOf(
      wanted,
      outputsOf(quantizeCalibrated(calibrated, { ...options, weightBits: weightBits ?? 8 }).graph, samples),
    );
  const base = noiseAt(8);
  const layers = fourBitNodes(graph);
  return layers
    .map((node, i): LayerSensitivity => {
      const layer = layerName(graph, node);
      const weights = productsOf(node).map((p) => graph.tensors.get(node.inputs[p.weights] ?? tensorId(-1)));
      const noise = Math.max(0, noiseAt((name) => (name === layer ? 4 : 8)) - base);
      onLayer(i + 1, layers.length);
      return {
        layer,
        op: node.op,
        weightBytes: weights.reduce((sum, t) => sum + elementsOf(t?.shape ?? [0]), 0),
        noise,
      };
    })
    .toSorted((a, b) => b.noise / (b.weightBytes || 1) - a.noise / (a.weightBytes || 1));
}

/** Which layers get 4 bits: those that cost the least noise per byte saved, until so many bytes are saved. */
export function fourBitLayers(sensitivities: readonly LayerSensitivity[], bytesToSave: number): ReadonlySet<string> {
  const chosen = new Set<string>();
  let saved = 0;
  for (const { layer, weightBytes } of sensitivities.toReversed()) {
    if (saved >= bytesToSave) break;
    chosen.add(layer);
    saved += weightBytes / 2;
  }
  return chosen;
}

/** Bits by layer, for {@link QuantizeOptions.weightBits}. */
export const bitsOf =
  (fourBits: ReadonlySet<string>) =>
  (layer: string): WeightBits =>
    fourBits.has(layer) ? 4 : 8;
