import type { TensorId } from "../base/units.js";
import { tensorId } from "../base/units.js";
import { type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { neighbourhood } from "./rewrite.js";

/** y = factor x + offset, channel by channel. */
export interface ChannelAffine {
  readonly factor: Float64Array;
  readonly offset: Float64Array;
}

/** What a BATCH_NORMALIZATION with constant statistics computes; null where they are not constant. */
export function batchNormAffine(graph: Graph, node: Node): ChannelAffine | null {
  if (node.op !== "BATCH_NORMALIZATION") return null;
  const [, ...parts] = viewOf(graph, node).inputs;
  const [gamma, beta, mean, variance] = parts.map((t) => (t?.data ? Float64Array.from(t.data as Float32Array) : null));
  if (!gamma || !beta || !mean || !variance) return null;
  const factor = gamma.map((g, c) => g / Math.sqrt((variance[c] as number) + node.attrs.epsilon));
  return { factor, offset: factor.map((f, c) => (beta[c] as number) - f * (mean[c] as number)) };
}

/** Weights times their channel's factor; in double, rounded once. */
function scaledWeights(weights: Tensor, channelAxis: number, factor: Float64Array): Float32Array {
  const inner = weights.shape.slice(channelAxis + 1).reduce((n, size) => n * size, 1);
  return Float32Array.from(
    weights.data as Float32Array,
    (w, i) => w * (factor[Math.floor(i / inner) % factor.length] as number),
  );
}

/**
 * Batch normalisation becomes part of the convolution or dense layer before it: weights and biases are scaled. Where
 * none comes before it, it stays.
 */
export const foldBatchNorm: Pass = {
  name: "fold batch normalisation",
  run: (graph) => {
    const around = neighbourhood(graph);
    const tensors = new Map(graph.tensors);
    const replaced = new Map<Node, Node | null>();
    let next = Math.max(-1, ...graph.tensors.keys()) + 1;
    const constant = (name: string, shape: readonly number[], data: Float32Array): TensorId => {
      const id = tensorId(next++);
      tensors.set(id, { id, name, shape, dtype: "float32", quant: null, variable: false, data });
      return id;
    };
    for (const node of graph.nodes) {
      const affine = batchNormAffine(graph, node);
      const [input] = node.inputs;
      if (affine === null || input === null || input === undefined) continue;
      const producer = around.producer(input);
      const sums = producer ? specOf(producer).traits.sums : "none";
      const isShared = around.consumers(input).length !== 1 || around.isOutput(input);
      if (!producer || sums === "none" || isShared) continue;
      if ((producer.attrs as { activation?: string }).activation !== "NONE") continue;
      const { inputs } = viewOf(graph, producer);
      const [weights, bias] = [inputs[sums.weights], inputs[sums.bias]];
      if (!weights?.data || weights.dtype !== "float32" || (bias && !bias.data)) continue;
      const { factor, offset } = affine;
      const biases = Float32Array.from(
        factor,
        (f, c) => f * (bias ? ((bias.data as Float32Array)[c] as number) : 0) + (offset[c] as number),
      );
      const folded = [...producer.inputs];
      folded[sums.weights] = constant(weights.name, weights.shape, scaledWeights(weights, sums.channelAxis, factor));
      const biasName = bias?.name ?? tensorOf(graph, node.inputs[2] as TensorId).name;
      folded[sums.bias] = constant(biasName, [factor.length], biases);
      replaced.set(producer, { ...producer, inputs: folded, outputs: node.outputs } as Node);
      replaced.set(node, null);
    }
    if (replaced.size === 0) return graph;
    const nodes = graph.nodes.flatMap((node) => {
      const other = replaced.get(node);
      return other === undefined ? [node] : other === null ? [] : [other];
    });
    return { ...graph, tensors, nodes };
  },
};
