import { makeData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import type { Tensor } from "../ir/graph.js";
import type { Activation } from "../ops/common/activation.js";
import { type Node, specOf } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rewrite, type Rule, rewriteToFixpoint } from "./rewrite.js";

/** A float constant with one value, or one for each channel of the last axis; null for any other tensor. */
function perChannel(tensor: Tensor, channels: number): Float32Array | null {
  const { data, shape } = tensor;
  if (tensor.dtype !== "float32" || data === null) return null;
  if (data.length === 1) return new Float32Array(channels).fill(Number(data[0]));
  return data.length === channels && shape.at(-1) === channels ? (data as Float32Array) : null;
}

/** The layer that computes `tensor`, if this is its only reader and it sums in floats with constant weights. */
function layerOf(tensor: Tensor, around: Neighbourhood): Node | null {
  const node = around.producer(tensor.id);
  const sums = node ? specOf(node).traits.sums : "none";
  if (!node || sums === "none" || tensor.dtype !== "float32") return null;
  if (around.consumers(tensor.id).length !== 1 || around.isOutput(tensor.id)) return null;
  const { inputs } = around.view(node);
  const [weights, bias] = [inputs[sums.weights], inputs[sums.bias]];
  const { activation } = node.attrs as { readonly activation: Activation };
  const isConstant = weights?.dtype === "float32" && weights.data !== null && (!bias || bias.data !== null);
  return isConstant && activation === "NONE" ? node : null;
}

/** What a node does to each channel of `data`: times `factor`, plus `offset`. */
interface ChannelAffine {
  readonly data: Tensor;
  readonly factor: (channel: number) => number;
  readonly offset: (channel: number) => number;
}

/** Of a batch normalisation with the statistics of training. */
function normOf(node: Node, around: Neighbourhood): ChannelAffine | null {
  if (node.op !== "BATCH_NORMALIZATION") return null;
  const [data, ...parts] = around.view(node).inputs;
  const [gamma, beta, mean, variance] = parts.map((t) => t?.data as Float32Array | null | undefined);
  if (!data || !gamma || !beta || !mean || !variance) return null;
  const { epsilon } = node.attrs;
  const factor = (c: number): number => (gamma[c] as number) / Math.sqrt((variance[c] as number) + epsilon);
  return { data, factor, offset: (c) => (beta[c] as number) - factor(c) * (mean[c] as number) };
}

/** Of a MUL, DIV, ADD or SUB with a constant. */
function arithmeticOf(node: Node, around: Neighbourhood): ChannelAffine | null {
  if (node.op !== "MUL" && node.op !== "DIV" && node.op !== "ADD" && node.op !== "SUB") return null;
  const view = around.view(node);
  const [left, right] = view.inputs;
  const [output] = view.outputs;
  if (!left || !right || !output) return null;
  const channels = output.shape.at(-1) ?? 1;
  const isFirst = right.data !== null;
  const [data, constant] = isFirst ? [left, right] : [right, left];
  const values = perChannel(constant, channels);
  // The constant may have no more axes than the layer's result, whose shape must stay.
  const keeps = data.shape.length === output.shape.length && data.shape.every((n, d) => n === output.shape[d]);
  if (values === null || !keeps || (!isFirst && node.op === "DIV")) return null;
  const sign = node.op === "SUB" && !isFirst ? -1 : 1;
  const isProduct = node.op === "MUL" || node.op === "DIV";
  return {
    data,
    factor: (c: number): number => {
      const v = values[c] ?? 0;
      return node.op === "MUL" ? v : node.op === "DIV" ? 1 / v : sign;
    },
    offset: (c: number): number =>
      isProduct ? 0 : node.op === "SUB" && isFirst ? -(values[c] ?? 0) : (values[c] ?? 0),
  };
}

/**
 * Scales and shifts of channels after a layer, a batch normalisation among them, become part of its weights and bias
 * (Jacob et al. 2018, section 3.2).
 */
const foldIntoLayer: Rule = {
  name: "fold scales and shifts into layers",
  apply: (node, around): Rewrite | null => {
    const affine = normOf(node, around) ?? arithmeticOf(node, around);
    const layer = affine && layerOf(affine.data, around);
    const place = layer ? specOf(layer).traits.sums : "none";
    if (!affine || !layer || place === "none") return null;
    const { inputs } = around.view(layer);
    const weights = inputs[place.weights] as Tensor;
    const bias = inputs[place.bias] ?? null;
    const channels = weights.shape[place.channelAxis] ?? 1;
    const inner = weights.shape.slice(place.channelAxis + 1).reduce((a, n) => a * n, 1);
    const factors = Float64Array.from({ length: channels }, (_, c) => affine.factor(c));
    const scaled = Float32Array.from(
      weights.data as Float32Array,
      (w, i) => w * (factors[Math.floor(i / inner) % channels] as number),
    );
    const shifted = makeData("float32", channels) as Float32Array;
    for (let c = 0; c < channels; c++)
      shifted[c] = Number(bias?.data?.[c] ?? 0) * (factors[c] as number) + affine.offset(c);
    // Two new tensors for every node: identities that no other rewrite of this sweep takes.
    const base = Math.max(...around.graph.tensors.keys()) + 1 + 2 * around.graph.nodes.indexOf(node);
    const add = (like: Tensor, id: TensorId, change: Partial<Tensor>): Tensor => ({
      ...like,
      ...change,
      id,
      variable: false,
    });
    const newWeights = add(weights, tensorId(base), { data: scaled });
    const newBias = add(bias ?? { ...weights, name: `${weights.name}/bias` }, tensorId(base + 1), {
      shape: [channels],
      data: shifted,
      quant: null,
    });
    const list: (TensorId | null)[] = [...layer.inputs];
    while (list.length <= place.bias) list.push(null);
    list[place.weights] = newWeights.id;
    list[place.bias] = newBias.id;
    const { activation = "NONE" } = node.attrs as { readonly activation?: Activation };
    const folded = { ...layer, inputs: list, outputs: node.outputs, attrs: { ...layer.attrs, activation } } as Node;
    return {
      nodes: new Map<Node, Node | null>([
        [layer, folded],
        [node, null],
      ]),
      tensors: [newWeights, newBias],
    };
  },
};

/** Folds scales and shifts of channels into the layers before them. */
export const foldAffine: Pass = {
  name: "fold scales and shifts",
  run: (graph) => rewriteToFixpoint(graph, [foldIntoLayer]),
};
