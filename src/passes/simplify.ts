import type { TensorId } from "../base/units.js";
import { sameQuantization, type Tensor, tensorOf } from "../ir/graph.js";
import { type Node, specOf } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rewrite, type Rule, rewriteToFixpoint } from "./rewrite.js";

const sameType = (a: Tensor, b: Tensor): boolean =>
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  a.shape.every((n, i) => n === b.shape[i]) &&
  sameQuantization(a.quant, b.quant);

/** Readers of the node's output read its first input instead. */
function bypass(node: Node, around: Neighbourhood): Rewrite | null {
  const [input] = node.inputs;
  const [output] = node.outputs;
  if (input === null || input === undefined || output === undefined) return null;
  const source = tensorOf(around.graph, input);
  // An output of the model must stay a tensor that a node computes.
  if (around.isOutput(output) && (around.producer(input) === undefined || around.isOutput(input))) return null;
  // State may be overwritten before the reader runs.
  if (source.variable) return null;
  return { nodes: new Map([[node, null]]), redirect: new Map<TensorId, TensorId>([[output, input]]) };
}

/** Constant values of input `index`, or null. */
const constants = (node: Node, index: number, around: Neighbourhood): readonly number[] | null => {
  const data = around.view(node).inputs[index]?.data;
  return data ? Array.from(data as ArrayLike<number>, Number) : null;
};

/** A reshape, squeeze or the like that keeps the shape, and QUANTIZE, CAST and others from a type to itself. */
const removeIdentity: Rule = {
  name: "remove operators that change nothing",
  apply: (node, around) => {
    const { traits } = specOf(node);
    const view = around.view(node);
    const [input] = view.inputs;
    const [output] = view.outputs;
    if (!input || !output || view.outputs.length !== 1 || !sameType(input, output)) return null;
    const isCopy = traits.view || node.op === "QUANTIZE" || node.op === "CAST";
    const movesNothing =
      (node.op === "TRANSPOSE" && keepsOrder(constants(node, 1, around), input.shape)) ||
      // Equal shapes mean that nothing was padded, cut or repeated.
      node.op === "PAD" ||
      node.op === "PADV2" ||
      node.op === "MIRROR_PAD" ||
      node.op === "SLICE";
    return isCopy || movesNothing ? bypass(node, around) : null;
  },
};

/** True if a permutation leaves elements in their order: axes longer than 1 keep theirs. */
function keepsOrder(permutation: readonly number[] | null, shape: readonly number[]): boolean {
  if (permutation === null) return false;
  const moved = permutation.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0));
}

/** A transpose that only moves axes of size 1 is a reshape. */
const transposeToReshape: Rule = {
  name: "turn transposes that keep the order into reshapes",
  apply: (node, around) => {
    if (node.op !== "TRANSPOSE") return null;
    const [input] = around.view(node).inputs;
    const [output] = around.view(node).outputs;
    if (!input || !output || !keepsOrder(constants(node, 1, around), input.shape)) return null;
    const reshape = {
      op: "RESHAPE",
      inputs: [input.id],
      outputs: node.outputs,
      attrs: { shape: output.shape },
      origin: node.origin,
    } as const;
    return { nodes: new Map<Node, Node>([[node, reshape]]) };
  },
};

/** A view of a view is a view of the first. */
const mergeViews: Rule = {
  name: "merge views",
  apply: (node, around) => {
    if (!specOf(node).traits.view) return null;
    const [input] = node.inputs;
    const first = input === null || input === undefined ? undefined : around.producer(input);
    if (!first || input === null || input === undefined || !specOf(first).traits.view) return null;
    if (around.consumers(input).length !== 1 || around.isOutput(input)) return null;
    const [output] = around.view(node).outputs;
    const [source] = first.inputs;
    if (!output || source === null || source === undefined) return null;
    const merged: Node = {
      op: "RESHAPE",
      inputs: [source],
      outputs: node.outputs,
      attrs: { shape: output.shape },
      origin: node.origin,
    };
    return {
      nodes: new Map<Node, Node | null>([
        [first, null],
        [node, merged],
      ]),
    };
  },
};

/** Removes operators that change nothing, and simplifies those that only rearrange. */
export const simplify: Pass = {
  name: "simplify",
  run: (graph) => rewriteToFixpoint(graph, [removeIdentity, transposeToReshape, mergeViews]),
};
