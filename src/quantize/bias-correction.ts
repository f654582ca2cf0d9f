import { elementsOf, makeData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { ExecView } from "../ops/spec.js";
import type { Collector } from "./calibrate.js";

/** The mean of each element of the tensors that operators with weights read. */
export function meanInputs(graph: Graph): Collector<ReadonlyMap<TensorId, Float32Array>> {
  const wanted = new Set<TensorId>();
  for (const node of graph.nodes) {
    const { sums } = specOf(node).traits;
    const input = sums === "none" ? null : node.inputs[sums.input];
    if (input !== null && input !== undefined) wanted.add(input);
  }
  const totals = new Map<TensorId, { readonly sum: Float64Array; count: number }>();
  return {
    show: (id, data) => {
      if (!wanted.has(id)) return;
      const total = totals.get(id) ?? { sum: new Float64Array(data.length), count: 0 };
      totals.set(id, total);
      for (let i = 0; i < data.length; i++) total.sum[i] = (total.sum[i] as number) + (data[i] as number);
      total.count++;
    },
    result: () => new Map([...totals].map(([id, { sum, count }]) => [id, Float32Array.from(sum, (s) => s / count)])),
  };
}

/**
 * What an error of a node's weights adds to its outputs on average, for each output channel: the operator itself, of the mean
 * input with the error in place of the weights, as it is linear. To be taken off the biases.
 * Source: Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", section 4.2.
 */
export function meanError(graph: Graph, node: Node, mean: Float32Array, weightError: Float32Array): Float64Array {
  const { sums } = specOf(node).traits;
  const view = viewOf(graph, node);
  if (sums === "none") return new Float64Array(0);
  const out = view.outputs.map((t) => makeData("float32", elementsOf(t.shape)));
  const exec: ExecView<object> = {
    ...view,
    attrs: { ...view.attrs, activation: "NONE" },
    inputs: view.inputs.map((t, i) => (i === sums.bias ? null : t)),
    in: view.inputs.map((t, i) =>
      i === sums.input ? mean : i === sums.weights ? weightError : i === sums.bias ? null : (t?.data ?? null),
    ),
    out,
    variable: () => new Uint8Array(0),
  };
  specOf(node).reference(exec);
  const [y] = out as [Float32Array];
  const channels = view.inputs[sums.weights]?.shape[sums.channelAxis] ?? 1;
  const result = new Float64Array(channels);
  const pixels = y.length / channels;
  for (let i = 0; i < y.length; i++)
    result[i % channels] = (result[i % channels] as number) + (y[i] as number) / pixels;
  return result;
}

/** The mean input of a node, if it was seen. */
export const meanOf = (graph: Graph, means: ReadonlyMap<TensorId, Float32Array>, node: Node): Float32Array | null => {
  const { sums } = specOf(node).traits;
  const id = sums === "none" ? null : node.inputs[sums.input];
  return id === null || id === undefined ? null : (means.get(tensorOf(graph, id).id) ?? null);
};
