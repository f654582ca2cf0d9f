import { present } from "../base/assert.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import { type Graph, type Node, type OpName, specOf } from "../ops/index.js";
import { type LayerSums, layerSums } from "./layers.js";

/** Operators through which a positive factor of a channel passes unchanged. */
const channelwise: ReadonlySet<OpName> = new Set(["RELU", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "LEAKY_RELU"]);

/** Fused activations of which the same is true. */
const homogeneous: readonly unknown[] = [undefined, "NONE", "RELU"];

const isHomogeneous = (node: Node): boolean =>
  homogeneous.includes((node.attrs as { readonly activation?: unknown }).activation);

/** Two layers, of which the second alone reads what the first computes. */
interface Pair {
  readonly first: LayerSums;
  readonly bias: TensorId | null;
  readonly second: LayerSums;
}

const biasOf = (node: Node): TensorId | null => {
  const { sums } = specOf(node).traits;
  return sums === "none" ? null : (node.inputs[sums.bias] ?? null);
};

/** The pairs of a graph. */
function pairsOf(graph: Graph): readonly Pair[] {
  const readers = new Map<TensorId, Node[]>();
  for (const node of graph.nodes)
    for (const id of node.inputs) if (id !== null) readers.set(id, [...(readers.get(id) ?? []), node]);
  const onlyReader = (id: TensorId): Node | null => {
    const all = readers.get(id) ?? [];
    return all.length === 1 && !graph.outputs.includes(id) ? (all[0] as Node) : null;
  };
  return graph.nodes.flatMap((node): readonly Pair[] => {
    const first = layerSums(graph, node);
    if (first === null || !isHomogeneous(node)) return [];
    let value = present(node.outputs[0], "output");
    let next = onlyReader(value);
    while (next !== null && channelwise.has(next.op) && isHomogeneous(next)) {
      value = present(next.outputs[0], "output");
      next = onlyReader(value);
    }
    const second = next === null ? null : layerSums(graph, next);
    if (second === null || second.input.id !== value || second.input.shape.at(-1) !== first.channels) return [];
    const bias = biasOf(node);
    const changed = [first.weights.id, second.weights.id, ...(bias === null ? [] : [bias])];
    const isShared = changed.some((id) => (readers.get(id) ?? []).length > 1);
    return isShared ? [] : [{ first, bias, second }];
  });
}

/** The largest weight that each channel of an input meets. */
function inputRanges(sums: LayerSums, weights: Float32Array, channels: number): Float64Array {
  const most = new Float64Array(channels);
  forInputs(sums, channels, (at, channel) => {
    most[channel] = Math.max(most[channel] as number, Math.abs(weights[at] as number));
  });
  return most;
}

/** Every weight with the input channel that it multiplies; a dense layer may read several pixels as one vector. */
function forInputs(sums: LayerSums, channels: number, visit: (at: number, channel: number) => void): void {
  for (let o = 0; o < sums.channels; o++) {
    const first = sums.firstChannel(o);
    for (let i = 0; i < sums.taps * sums.depth; i++) visit(sums.weightAt(o, i), (first + (i % sums.depth)) % channels);
  }
}

/** Turns over all pairs at most, and how far a factor may be from 1 when nothing changes any more. */
const mostTurns = 20;
const settled = 1e-3;

/** Factors beyond these would only move what is hardly there. */
const largestFactor = 1e4;

/**
 * Brings the channels between two layers to like ranges: the first's weights and bias are divided by a factor for each
 * channel and the second's are multiplied by it, which changes no output where the activation between them is linear or
 * ReLU. With it no channel is lost in the rounding of its neighbours.
 * Source: Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", section 4.1.
 */
export function equalize(graph: Graph): Graph {
  const pairs = pairsOf(graph);
  const changed = new Map<TensorId, Float32Array>();
  const dataOf = (t: Tensor): Float32Array => {
    const known = changed.get(t.id);
    if (known !== undefined) return known;
    const own = (t.data as Float32Array).slice();
    changed.set(t.id, own);
    return own;
  };
  for (let turn = 0, moved = true; moved && turn < mostTurns; turn++) {
    moved = false;
    for (const { first, bias, second } of pairs) {
      const [a, b] = [dataOf(first.weights), dataOf(second.weights)];
      const outRange = Float64Array.from({ length: first.channels }, (_, o) => {
        let most = 0;
        for (let i = 0; i < first.taps * first.depth; i++)
          most = Math.max(most, Math.abs(a[first.weightAt(o, i)] as number));
        return most;
      });
      const inRange = inputRanges(second, b, first.channels);
      const factors = outRange.map((range, c) => {
        const factor = Math.sqrt(range / (inRange[c] as number));
        return factor > 1 / largestFactor && factor < largestFactor ? factor : 1;
      });
      moved ||= factors.some((f) => Math.abs(f - 1) > settled);
      for (let o = 0; o < first.channels; o++) {
        for (let i = 0; i < first.taps * first.depth; i++) {
          const at = first.weightAt(o, i);
          a[at] = (a[at] as number) / (factors[o] as number);
        }
      }
      if (bias !== null) {
        const c = dataOf(tensorOf(graph, bias));
        c.forEach((v, o) => {
          c[o] = v / (factors[o] as number);
        });
      }
      forInputs(second, first.channels, (at, channel) => {
        b[at] = (b[at] as number) * (factors[channel] as number);
      });
    }
  }
  const tensors = new Map(graph.tensors);
  for (const [id, data] of changed) tensors.set(id, { ...tensorOf(graph, id), data });
  return { ...graph, tensors };
}
