import { present } from "../base/assert.js";
import { elementsOf } from "../base/dtype.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { GraphEmitter } from "../ops/emitter.js";
import type { Graph, Node } from "../ops/index.js";
import type { Loss } from "./losses.js";

/** A mask of dropout: an input that the caller fills with 0 and 1 / (1 - rate). */
export interface DropoutMask {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rate: number;
}

/** Batch statistics found on the way: of a running one's tensor, the batch's own. */
export type BatchStatistics = Map<number, { readonly value: Tensor; readonly count: number }>;

/** The forward nodes as training computes them. */
export function emitForward(
  e: GraphEmitter,
  graph: Graph,
  batchNorm: "train" | "freeze",
  statistics: BatchStatistics,
): readonly DropoutMask[] {
  const masks: DropoutMask[] = [];
  for (const node of graph.nodes) {
    if (node.op === "DROPOUT" && node.attrs.rate > 0) {
      const y = tensorOf(graph, present(node.outputs[0], "output"));
      const mask = e.input(`mask_${masks.length}`, y.shape);
      masks.push({ name: mask.name, shape: y.shape, rate: node.attrs.rate });
      const product: Node = { ...node, op: "MUL", attrs: { activation: "NONE" }, inputs: [...node.inputs, mask.id] };
      e.append([product], []);
    } else if (node.op === "BATCH_NORMALIZATION" && batchNorm === "train") {
      const [x, gamma, beta, mean, variance] = node.inputs.map((id) => tensorOf(graph, present(id, "input")));
      if (!x || !gamma || !beta || !mean || !variance) continue;
      const count = elementsOf(x.shape) / elementsOf(mean.shape);
      const types = [x.shape, mean.shape, mean.shape].map((shape) => ({
        shape,
        dtype: "float32" as const,
        quant: null,
      }));
      const found = e.node("BATCH_NORMALIZATION_TRAINING", [x, gamma, beta], node.attrs, types);
      const [y, batchMean, batchVariance] = found;
      const last = e.nodes().at(-1);
      // The normalized value keeps the id that later nodes read.
      if (!last || !y || !batchMean || !batchVariance) continue;
      e.rename(y.id, present(node.outputs[0], "output"));
      statistics.set(mean.id, { value: batchMean, count });
      statistics.set(variance.id, { value: batchVariance, count });
    } else e.append([node], []);
  }
  return masks;
}

/** Without the softmax at the end, which the loss computes with its logarithm. */
export function logits(graph: Graph, loss: Loss): Graph {
  const output = graph.outputs[0];
  const last = graph.nodes.find((n) => n.outputs[0] === output);
  const input = last?.inputs[0];
  if (
    loss.kind !== "cross-entropy" ||
    last?.op !== "SOFTMAX" ||
    last.attrs.beta !== 1 ||
    input === null ||
    input === undefined
  )
    return graph;
  return { ...graph, nodes: graph.nodes.filter((n) => n !== last), outputs: [input] };
}
