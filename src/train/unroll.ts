import { present } from "../base/assert.js";
import type { NodeView } from "../ir/graph.js";
import { emittedView, graphEmitter } from "../ops/emitter.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

const recurrenceOf = (node: Node) => specOf(node).traits.recurrence;

/**
 * A graph without operators that carry a state along a sequence: each is what it computes from its first state, step by
 * step, in operators that have gradients. Weights stay the constants that they are, read by every step. Throws TH2015 for
 * a sequence of too many steps.
 */
export function unrollSequences(graph: Graph): Graph {
  if (!graph.nodes.some((n) => recurrenceOf(n) !== "none")) return graph;
  const e = graphEmitter(graph);
  for (const node of graph.nodes) {
    const recurrence = recurrenceOf(node);
    if (recurrence === "none") {
      e.append([node], []);
      continue;
    }
    e.from(node.origin, () => {
      const values = recurrence.unroll(emittedView(e, node) as NodeView<object>, e);
      node.outputs.forEach((id, i) => {
        const y = present(values[i], "output");
        // A copy, so that it has the id which later nodes read.
        const copy = present(e.node("RESHAPE", [y], { shape: y.shape })[0], "copy");
        e.rename(copy.id, id);
      });
    });
  }
  return { ...graph, tensors: e.tensors(), nodes: e.nodes() };
}
