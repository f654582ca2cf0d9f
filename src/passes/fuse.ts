import { sameQuantization, type Tensor } from "../ir/graph.js";
import { inferOutputs } from "../ops/check.js";
import type { Activation } from "../ops/common/activation.js";
import type { Padding } from "../ops/common/padding.js";
import { type Node, specOf } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rule, rewriteToFixpoint } from "./rewrite.js";

/** The node that computes `tensor`, if this is its only reader. */
function soleProducer(tensor: Tensor, around: Neighbourhood): Node | null {
  const producer = around.producer(tensor.id);
  const shared = around.consumers(tensor.id).length !== 1 || around.isOutput(tensor.id);
  return producer && !shared && producer.outputs.length === 1 ? producer : null;
}

/** True if the operator takes a node's options: some have an activation in the file's format that no kernel applies. */
function isAccepted(node: Node, around: Neighbourhood): boolean {
  let isRefused = false;
  const types = inferOutputs(specOf(node), around.view(node), (_, { severity }) => {
    isRefused ||= severity !== "warning";
  });
  return types !== null && !isRefused;
}

/**
 * An activation becomes part of the operator before it. Exact for integers when both share scale and zero point: the
 * activation is then a clamp at the same quantized bounds. The combined node computes what the activation did, so it
 * carries the activation's output and the producer's origin.
 */
const fuseActivation: Rule = {
  name: "fuse activations",
  apply: (node, around) => {
    const { activation } = specOf(node).traits;
    if (activation === "none") return null;
    const view = around.view(node);
    const [input] = view.inputs;
    const [output] = view.outputs;
    if (!input || !output || view.inputs.length !== 1 || !sameQuantization(input.quant, output.quant)) return null;
    const producer = soleProducer(input, around);
    const attrs = producer?.attrs as { readonly activation?: Activation } | undefined;
    if (!producer || attrs?.activation !== "NONE") return null;
    const fused = { ...producer, attrs: { ...attrs, activation }, outputs: node.outputs } as Node;
    if (!isAccepted(fused, around)) return null;
    return {
      nodes: new Map<Node, Node | null>([
        [producer, fused],
        [node, null],
      ]),
    };
  },
};

/** Spatial padding amounts of a PAD that pads height and width only, by the zero point. */
function spatialPadding(node: Node, around: Neighbourhood): readonly [number, number, number, number] | null {
  if (node.op !== "PAD") return null;
  const view = around.view(node);
  const [input, paddings] = view.inputs;
  const [output] = view.outputs;
  if (!input || !paddings?.data || !output || input.shape.length !== 4) return null;
  if (!sameQuantization(input.quant, output.quant)) return null;
  const p = Array.from(paddings.data as ArrayLike<number>, Number);
  const [nb = 0, na = 0, top = 0, bottom = 0, left = 0, right = 0, cb = 0, ca = 0] = p;
  return nb || na || cb || ca ? null : [top, bottom, left, right];
}

/** Zero padding becomes part of the convolution after it, which then needs no padded copy of its input. */
const fusePadding: Rule = {
  name: "fuse padding",
  apply: (node, around) => {
    if (!specOf(node).traits.takesPadding) return null;
    const [input] = around.view(node).inputs;
    const { padding } = node.attrs as { readonly padding: Padding };
    if (!input || padding === "SAME") return null;
    const pad = soleProducer(input, around);
    const amounts = pad && spatialPadding(pad, around);
    const [source] = pad?.inputs ?? [];
    if (!pad || !amounts || source === null || source === undefined) return null;
    const already = padding === "VALID" ? ([0, 0, 0, 0] as const) : padding;
    const total: Padding = [
      amounts[0] + already[0],
      amounts[1] + already[1],
      amounts[2] + already[2],
      amounts[3] + already[3],
    ];
    const fused = {
      ...node,
      attrs: { ...node.attrs, padding: total },
      inputs: [source, ...node.inputs.slice(1)],
    } as Node;
    return {
      nodes: new Map<Node, Node | null>([
        [pad, null],
        [node, fused],
      ]),
    };
  },
};

/** Merges activations and padding into the operators that can apply them. */
export const fuse: Pass = { name: "fuse", run: (graph) => rewriteToFixpoint(graph, [fuseActivation, fusePadding]) };
