import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor } from "../ir/graph.js";
import { add, scalar } from "../ops/common/gradients.js";
import { emittedView, type GraphEmitter } from "../ops/emitter.js";
import { type Node, specOf } from "../ops/index.js";

/** Tensors that depend on one of `roots`. */
function dependents(nodes: readonly Node[], roots: Iterable<TensorId>): Set<TensorId> {
  const found = new Set(roots);
  for (const node of nodes) {
    if (node.inputs.some((id) => id !== null && found.has(id))) for (const id of node.outputs) found.add(id);
  }
  return found;
}

/**
 * Reverse-mode differentiation: appends to the emitter's nodes those that compute the derivative of `loss`, a scalar, by
 * each of `wanted`. Returns the gradients found; a tensor that the loss does not depend on has none. Throws TH2014 for an
 * operator on the way that has no gradient, or none for an input that weights lead to.
 */
export function differentiate(
  e: GraphEmitter,
  loss: Tensor,
  wanted: ReadonlySet<TensorId>,
): ReadonlyMap<TensorId, Tensor> {
  const forward = [...e.nodes()];
  const reaches = dependents(forward, wanted);
  const gradients = new Map<TensorId, Tensor>([[loss.id, scalar(e, 1)]]);
  const accumulate = (id: TensorId, gradient: Tensor): void => {
    const before = gradients.get(id);
    gradients.set(id, before === undefined ? gradient : add(e, before, gradient));
  };
  for (const node of forward.toReversed()) {
    const upstream = node.outputs.map((id) => gradients.get(id) ?? null);
    const needed = node.inputs.some((id) => id !== null && reaches.has(id));
    if (!needed || upstream.every((g) => g === null)) continue;
    const { gradient } = specOf(node);
    if (typeof gradient === "string")
      fail("TH2014", {
        where: [originName(node.origin)],
        found: `${node.op}: ${gradient}`,
        fix: "freeze the layers before it, or train without this operator",
      });
    const found = e.from(node.origin, () => gradient(emittedView(e, node) as never, upstream, e));
    node.inputs.forEach((id, i) => {
      const g = found[i];
      if (id === null || !reaches.has(id)) return;
      if (g) accumulate(id, g);
      // A gradient that is missing would leave weights above as they are, and nobody would know.
      else if (e.tensors().get(id)?.dtype === "float32")
        fail("TH2014", {
          where: [originName(node.origin)],
          found: `${node.op}: no gradient for input ${i}, where other inputs are computed`,
          fix: "make those constant, freeze the layers before it, or train without this operator",
        });
    });
  }
  return new Map([...wanted].flatMap((id) => (gradients.has(id) ? [[id, gradients.get(id) as Tensor] as const] : [])));
}

/** The nodes that `outputs` depend on, in order. */
export function neededNodes(nodes: readonly Node[], outputs: Iterable<TensorId>): readonly Node[] {
  const needed = new Set(outputs);
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((id) => needed.has(id))) continue;
    for (const id of node.inputs) if (id !== null) needed.add(id);
    kept.push(node);
  }
  return kept.reverse();
}
