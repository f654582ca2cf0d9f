import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf } from "../ir/graph.js";
import { moverSources } from "../ops/common/gradients.js";
import {
  outputIndex,
  type RecurrentAttrs,
  recurrentInputs,
  recurrentSizes,
  stepAt,
} from "../ops/common/recurrent-layer.js";
import { type Node, specOf } from "../ops/index.js";
import type { Reference } from "../ops/spec.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rule, rewriteToFixpoint } from "./rewrite.js";

type RecurrentNode = Extract<Node, { readonly op: "GRU" | "LSTM" | "RNN" }>;

const isRecurrent = (node: Node): node is RecurrentNode => node.op === "GRU" || node.op === "LSTM" || node.op === "RNN";

const isRead = (id: TensorId | undefined, around: Neighbourhood): boolean =>
  id !== undefined && (around.isOutput(id) || around.consumers(id).length > 0);

/** Files name all outputs; a layer of which one is read need not keep the others. */
const readOutputs: Rule = {
  name: "give out what is read of recurrent layers",
  apply: (node, around) => {
    if (!isRecurrent(node) || node.attrs.returns !== "all") return null;
    const read = node.outputs.filter((id) => isRead(id, around));
    const [only] = read;
    const returns = (["sequence", "hidden"] as const).find(
      (output) => node.outputs[outputIndex(node.attrs, output)] === only,
    );
    if (only === undefined || read.length > 1 || returns === undefined) return null;
    const attrs: RecurrentAttrs = { ...node.attrs, returns };
    return { nodes: new Map([[node, { ...node, attrs, outputs: [only] }]]) };
  },
};

/** The tensor that a transpose swaps the first two axes of, if `tensor` is its result. */
function swapped(tensor: Tensor | null | undefined, around: Neighbourhood): Tensor | null {
  const transpose = tensor && around.producer(tensor.id);
  if (transpose?.op !== "TRANSPOSE") return null;
  const [source, order] = around.view(transpose).inputs;
  const isSwap = Array.from((order?.data ?? []) as Int32Array).join() === "1,0,2";
  return source && isSwap ? source : null;
}

/** Batches that a file turns over, for layers that go by steps, are read as they were. */
const readBatchFirst: Rule = {
  name: "read sequences as they lie",
  apply: (node, around) => {
    if (!isRecurrent(node) || node.attrs.returns !== "hidden") return null;
    const source = swapped(around.view(node).inputs[recurrentInputs.data], around);
    if (source === null) return null;
    const attrs: RecurrentAttrs = { ...node.attrs, timeMajor: !node.attrs.timeMajor };
    const inputs = node.inputs.with(recurrentInputs.data, source.id);
    return { nodes: new Map([[node, { ...node, attrs, inputs }]]) };
  },
};

/** Operators that a value may go through one after another. */
const longestPath = 8;

/** The node that alone reads `id`, if it only moves elements of that, by constants. */
function onlyMover(id: TensorId, around: Neighbourhood): Node | null {
  const [reader, ...more] = around.consumers(id);
  if (!reader || more.length > 0 || around.isOutput(id) || reader.outputs.length !== 1) return null;
  const { traits } = specOf(reader);
  const rest = around.view(reader).inputs.slice(1);
  const isConstant = reader.inputs[0] === id && rest.every((t) => t === null || t.data !== null);
  return (traits.moves || traits.view) && isConstant ? reader : null;
}

/** Where the elements of the state after the last step lie in the sequence. */
function lastElements(node: RecurrentNode, around: Neighbourhood): readonly number[] {
  const { batch, steps, units, batchStride, stepStride } = recurrentSizes(
    around.view(node) as NodeView<RecurrentAttrs>,
  );
  const last = stepAt(node.attrs, steps, steps - 1) * stepStride;
  return Array.from({ length: batch * units }, (_, i) => {
    const vector = Math.floor(i / units) * batchStride + last;
    return vector * units + (i % units);
  });
}

/** A sequence of which, moved and cut, only the last state is left: `out[:, -1]` in a program. */
const readLastState: Rule = {
  name: "give out the last state where it alone is read",
  apply: (node, around) => {
    const [sequence] = node.outputs;
    if (!isRecurrent(node) || node.attrs.returns !== "sequence" || sequence === undefined) return null;
    const wanted = lastElements(node, around);
    const path: Node[] = [];
    let from: ArrayLike<number> | null = null;
    let next = onlyMover(sequence, around);
    for (; next !== null && path.length < longestPath; next = onlyMover(next.outputs[0] as TensorId, around)) {
      const before: ArrayLike<number> | null = from;
      const moved = moverSources(around.view(next), specOf(next).reference as Reference<never>);
      const here: Int32Array = before === null ? moved : moved.map((i) => before[i] ?? -1);
      if (here.length === wanted.length && here.every((i, k) => i === wanted[k])) break;
      from = here;
      path.push(next);
    }
    const output = next && around.view(next).outputs[0];
    const { dtype, data: _, ...like } = tensorOf(around.graph, sequence);
    if (!next || !output || path.length === longestPath || dtype !== "float32") return null;
    const { batch, units } = recurrentSizes(around.view(node) as NodeView<RecurrentAttrs>);
    // A tensor of its own for every node, which no other rewrite of this sweep takes.
    const id = tensorId(Math.max(...around.graph.tensors.keys()) + 1 + around.graph.nodes.indexOf(node));
    const state: Tensor = { ...like, id, dtype, shape: [batch, units], data: null };
    const attrs: RecurrentAttrs = { ...node.attrs, returns: "hidden" };
    const view: Node = {
      op: "RESHAPE",
      inputs: [id],
      outputs: next.outputs,
      attrs: { shape: output.shape },
      origin: next.origin,
    };
    return {
      nodes: new Map<Node, Node | null>([
        [node, { ...node, attrs, outputs: [id] }],
        ...path.map((n) => [n, null] as const),
        [next, view],
      ]),
      tensors: [state],
    };
  },
};

/** Makes recurrent layers give and take no more than the network has of them. */
export const trimRecurrent: Pass = {
  name: "trim recurrent layers",
  run: (graph) =>
    graph.nodes.some(isRecurrent) ? rewriteToFixpoint(graph, [readOutputs, readLastState, readBatchFirst]) : graph,
};
