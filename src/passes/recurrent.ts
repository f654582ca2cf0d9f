import type { Tensor } from "../ir/graph.js";
import { outputIndex, type RecurrentAttrs, recurrentInputs } from "../ops/common/recurrent-layer.js";
import type { Node } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rule, rewriteToFixpoint } from "./rewrite.js";

type RecurrentNode = Extract<Node, { readonly op: "GRU" | "LSTM" | "RNN" }>;

const isRecurrent = (node: Node): node is RecurrentNode => node.op === "GRU" || node.op === "LSTM" || node.op === "RNN";

const isRead = (id: Tensor["id"] | undefined, around: Neighbourhood): boolean =>
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

/** Makes recurrent layers give and take no more than the network has of them. */
export const trimRecurrent: Pass = {
  name: "trim recurrent layers",
  run: (graph) => (graph.nodes.some(isRecurrent) ? rewriteToFixpoint(graph, [readOutputs, readBatchFirst]) : graph),
};
