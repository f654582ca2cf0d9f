import { makeData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import type { Tensor } from "../ir/graph.js";
import type { Activation } from "../ops/common/activation.js";
import type { Node } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rewrite, type Rule, rewriteToFixpoint } from "./rewrite.js";

/** Layers that sum over weights: where data, weights and bias are, and along which axis of the weights outputs lie. */
const layers: Readonly<Record<string, { readonly weights: number; readonly bias: number; readonly axis: number }>> = {
  CONV_2D: { weights: 1, bias: 2, axis: 0 },
  DEPTHWISE_CONV_2D: { weights: 1, bias: 2, axis: 3 },
  FULLY_CONNECTED: { weights: 1, bias: 2, axis: 0 },
  TRANSPOSE_CONV: { weights: 1, bias: 3, axis: 0 },
};

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
  const layer = node && layers[node.op];
  if (!node || !layer || tensor.dtype !== "float32") return null;
  if (around.consumers(tensor.id).length !== 1 || around.isOutput(tensor.id)) return null;
  const { inputs } = around.view(node);
  const [weights, bias] = [inputs[layer.weights], inputs[layer.bias]];
  const { activation } = node.attrs as { readonly activation: Activation };
  const isConstant = weights?.dtype === "float32" && weights.data !== null && (!bias || bias.data !== null);
  return isConstant && activation === "NONE" ? node : null;
}

/** What a MUL, DIV, ADD or SUB with a constant does to each channel: times `factor`, plus `offset`. */
function affineOf(node: Node, around: Neighbourhood) {
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
 * Scales and shifts of channels after a layer become part of its weights and bias, as what is left of a batch normalisation
 * does (Jacob et al. 2018, section 3.2).
 */
const foldIntoLayer: Rule = {
  name: "fold scales and shifts into layers",
  apply: (node, around): Rewrite | null => {
    const affine = affineOf(node, around);
    const layer = affine && layerOf(affine.data, around);
    const place = layer && layers[layer.op];
    if (!affine || !layer || !place) return null;
    const { inputs } = around.view(layer);
    const weights = inputs[place.weights] as Tensor;
    const bias = inputs[place.bias] ?? null;
    const channels = weights.shape[place.axis] ?? 1;
    const inner = weights.shape.slice(place.axis + 1).reduce((a, n) => a * n, 1);
    const scaled = Float32Array.from(
      weights.data as Float32Array,
      (w, i) => w * affine.factor(Math.floor(i / inner) % channels),
    );
    const shifted = makeData("float32", channels) as Float32Array;
    for (let c = 0; c < channels; c++) shifted[c] = Number(bias?.data?.[c] ?? 0) * affine.factor(c) + affine.offset(c);
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
    const { activation } = node.attrs as { readonly activation: Activation };
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
