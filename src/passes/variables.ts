import { elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import type { Graph } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import type { Pass } from "./pass.js";

/**
 * Runs the subgraphs of CALL_ONCE at compile time: what they assign becomes the variables' initial contents. VAR_HANDLE
 * nodes go too, since a resource tensor knows its variable.
 */
export const initializeVariables: Pass = {
  name: "initialize variables",
  run: (graph, context) => {
    const once = graph.nodes.filter((n) => n.op === "CALL_ONCE");
    const handles = new Set<TensorId>(graph.nodes.filter((n) => n.op === "VAR_HANDLE").flatMap((n) => n.outputs));
    if (once.length === 0 && handles.size === 0) return graph;
    const nodes = graph.nodes.filter((n) => n.op !== "CALL_ONCE" && n.op !== "VAR_HANDLE");
    if (once.length === 0) return { ...graph, nodes };
    const only: Graph = { ...graph, nodes: once, inputs: [], outputs: [] };
    const session = createSession({ main: only, subgraphs: context.subgraphs });
    const variables = graph.variables.map((v) => {
      const data = session.variable(v.name);
      return data && data.length === elementsOf(v.shape) ? { ...v, initial: data } : v;
    });
    return { ...graph, nodes, variables };
  },
};
