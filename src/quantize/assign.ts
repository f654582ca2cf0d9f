import type { TensorId } from "../base/units.js";
import { type Quantization, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type ActivationType, quantizationOf } from "./affine.js";
import type { Observations } from "./calibrate.js";
import { quantizationGroups } from "./groups.js";
import { Histogram } from "./histogram.js";
import { type ObserverName, observedInterval } from "./observers.js";
import { fixedQuantization } from "./products.js";

/** Chooses the quantization of every float32 activation (and constant that is none of the weights). */
export function assignQuantization(
  graph: Graph,
  observations: Observations,
  dtype: ActivationType,
  observer: ObserverName,
): ReadonlyMap<TensorId, Quantization> {
  const groups = quantizationGroups(graph);
  const fixed = new Map<TensorId, Quantization>();
  for (const node of graph.nodes) {
    const quantizations = fixedQuantization(graph, node);
    if (quantizations !== null) for (const id of node.outputs) fixed.set(id, quantizations[dtype]);
  }
  const members = new Map<TensorId, TensorId[]>();
  for (const [id, root] of groups) {
    if (tensorOf(graph, id).dtype !== "float32") continue;
    const list = members.get(root);
    if (list) list.push(id);
    else members.set(root, [id]);
  }
  const levels = dtype === "int8" ? 256 : 65536;
  const result = new Map<TensorId, Quantization>();
  for (const [root, ids] of members) {
    const given = fixed.get(root);
    const quant =
      given ?? quantizationOf(observedInterval(groupHistogram(graph, ids, observations), observer, levels), dtype);
    for (const id of ids) result.set(id, quant);
  }
  return result;
}

/** All that was seen of the tensors of a group; a constant is seen in its data. */
function groupHistogram(graph: Graph, ids: readonly TensorId[], observations: Observations): Histogram {
  const parts = ids.flatMap((id) => {
    const seen = observations.get(id);
    if (seen !== undefined) return [seen];
    const { data } = tensorOf(graph, id);
    if (!(data instanceof Float32Array)) return [];
    const histogram = new Histogram();
    histogram.add(data);
    return [histogram];
  });
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Histogram.merged(parts);
}
