import type { TensorId } from "../base/units.js";
import { specOf } from "../ops/index.js";
import type { Pass } from "./pass.js";

/** Removes nodes whose results nothing uses, and tensors and variables that no node mentions. */
export const removeDeadCode: Pass = {
  name: "remove dead code",
  run: (graph) => {
    const live = new Set<TensorId>(graph.outputs);
    const nodes = graph.nodes
      .toReversed()
      .filter((node) => {
        const { traits } = specOf(node);
        if (!traits.sideEffects && !node.outputs.some((id) => live.has(id))) return false;
        for (const id of node.inputs) if (id !== null) live.add(id);
        for (const id of node.outputs) live.add(id);
        return true;
      })
      .reverse();
    for (const id of graph.inputs) live.add(id);
    const tensors = new Map([...graph.tensors].filter(([id]) => live.has(id)));
    const named = new Set([...tensors.values()].map((t) => t.resource));
    return { ...graph, nodes, tensors, variables: graph.variables.filter((v) => named.has(v.name)) };
  },
};
