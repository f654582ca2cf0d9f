import { bytesOf, elementsOf, makeData, type TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { ExecView } from "../ops/spec.js";
import type { Pass } from "./pass.js";

/** Results larger than this are left to the device: a folded broadcast could fill the flash. */
const maxFoldedBytes = 2 ** 24;

function evaluate(graph: Graph, node: Node): readonly TensorData[] {
  const view = viewOf(graph, node);
  const out = view.outputs.map((t) => makeData(t.dtype, elementsOf(t.shape)));
  const exec: ExecView<object> = {
    ...view,
    in: view.inputs.map((t) => t?.data ?? null),
    out,
    variable: () => new Uint8Array(0),
  };
  specOf(node).reference(exec);
  return out;
}

/** Evaluates nodes whose inputs, or all of them that matters, are constant, with the reference implementation. */
export const foldConstants: Pass = {
  name: "fold constants",
  run: (graph) => {
    const tensors = new Map<TensorId, Tensor>(graph.tensors);
    const nodes = graph.nodes.filter((node) => {
      const { traits } = specOf(node);
      const current: Graph = { ...graph, tensors };
      const constant =
        traits.shapeOnly || (node.inputs.length > 0 && node.inputs.every((id) => id === null || tensors.get(id)?.data));
      if (!constant || traits.sideEffects || traits.mutates.length > 0) return true;
      const bytes = node.outputs.reduce((sum, id) => {
        const t = tensorOf(current, id);
        return sum + bytesOf(t.dtype, elementsOf(t.shape));
      }, 0);
      if (bytes > maxFoldedBytes) return true;
      const data = evaluate(current, node);
      node.outputs.forEach((id, i) => {
        tensors.set(id, { ...tensorOf(current, id), data: data[i] ?? null });
      });
      return false;
    });
    return nodes.length === graph.nodes.length ? graph : { ...graph, tensors, nodes };
  },
};
