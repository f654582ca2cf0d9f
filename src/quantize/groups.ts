import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import { fixedQuantization, isParameter } from "./products.js";

/** Inputs of a node that hold activations: float32, and not weights or biases. */
export function activationInputs(graph: Graph, node: Node): readonly Tensor[] {
  return node.inputs.flatMap((id, i) => {
    if (id === null || isParameter(node, i)) return [];
    const tensor = tensorOf(graph, id);
    return tensor.dtype === "float32" ? [tensor] : [];
  });
}

/** True where the operator's integer output is quantized as its inputs are. */
export function keepsScale(node: Node): boolean {
  const { traits } = specOf(node);
  return traits.moves || traits.view || traits.quantizes === "same";
}

/**
 * Which tensors share one quantization: those that an operator only moves or compares. Of two outputs whose
 * quantization operators fix, one is not joined; converting it is left to a QUANTIZE.
 */
export function quantizationGroups(graph: Graph): ReadonlyMap<TensorId, TensorId> {
  const parents = new Map<TensorId, TensorId>();
  const fixed = new Set<TensorId>();
  const find = (id: TensorId): TensorId => {
    const parent = parents.get(id);
    if (parent === undefined || parent === id) return id;
    const root = find(parent);
    parents.set(id, root);
    return root;
  };
  for (const node of graph.nodes) {
    if (fixedQuantization(graph, node) !== null) for (const id of node.outputs) fixed.add(id);
  }
  const isFixed = (root: TensorId): boolean => fixed.has(root);
  for (const node of graph.nodes) {
    if (!keepsScale(node)) continue;
    const [first] = node.outputs;
    if (first === undefined) continue;
    for (const id of [...node.outputs.slice(1), ...activationInputs(graph, node).map((t) => t.id)]) {
      const [a, b] = [find(first), find(id)];
      if (a === b || (isFixed(a) && isFixed(b))) continue;
      // The fixed one is the root, so that the group knows.
      const [root, other] = isFixed(b) ? [b, a] : [a, b];
      parents.set(other, root);
    }
  }
  return new Map([...graph.tensors.keys()].map((id) => [id, find(id)]));
}
