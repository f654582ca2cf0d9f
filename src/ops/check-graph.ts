import type { DiagnosticSink } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { type NodeView, originName, type Tensor, tensorName, viewOf } from "../ir/graph.js";
import { checkDeclared, inferOutputs, reportInto } from "./check.js";
import { type Graph, type Node, specOf } from "./index.js";

/** A declared shape that says nothing: exporters write a scalar where they do not know the shape. */
const isUnknown = (tensor: Tensor, unknown: ReadonlySet<TensorId>): boolean =>
  unknown.has(tensor.id) || tensor.shape.length === 0;

/** Reports a run-time tensor without elements: an open input size that the file does not state. */
function hasEmptyTensor(graph: Graph, node: Node, where: readonly string[], sink: DiagnosticSink): boolean {
  const tensors = [...node.inputs, ...node.outputs].map((id) => (id === null ? undefined : graph.tensors.get(id)));
  const empty = tensors.find((t) => t !== undefined && t.data === null && t.shape.includes(0));
  if (empty === undefined) return false;
  sink.report("TH1008", {
    where: [...where, tensorName(empty)],
    found: `[${empty.shape.join(", ")}]`,
    expected: "at least one element",
    fix: "export the model with fixed, positive input sizes",
  });
  return true;
}

/**
 * Checks a whole graph: every tensor is written once and before it is read, and every node's inputs, options and
 * outputs agree. Reports all problems into `sink` under `place`. Returns the graph with shapes that the file left open filled
 * in by inference.
 * @param unknown tensors whose declared shape is only a guess
 */
export function checkGraph(
  graph: Graph,
  sink: DiagnosticSink,
  place: readonly string[],
  unknown: ReadonlySet<TensorId> = new Set(),
): Graph {
  const tensors = new Map(graph.tensors);
  const known = new Set<TensorId>(graph.inputs);
  for (const t of tensors.values()) if (t.data !== null || t.variable) known.add(t.id);
  for (const node of graph.nodes) {
    const where = [...place, originName(node.origin)];
    if (hasEmptyTensor(graph, node, where, sink)) continue;
    for (const id of node.inputs) {
      const tensor = id === null ? undefined : tensors.get(id);
      if (id === null || known.has(id) || tensor === undefined) continue;
      sink.report("TH2009", {
        where: [...where, tensorName(tensor)],
        fix: "the file's operators are out of order or one is missing: convert the model again",
      });
      known.add(id);
    }
    const spec = specOf(node);
    const view = (): NodeView<object> => viewOf({ ...graph, tensors }, node) as NodeView<object>;
    const before = view();
    const report = reportInto(sink, place, before);
    const inferred = inferOutputs(spec, before, report);
    node.outputs.forEach((id, i) => {
      const tensor = tensors.get(id);
      if (tensor === undefined) return;
      if (known.has(id))
        sink.report("TH2011", { where: [...where, tensorName(tensor)], fix: "convert the model again" });
      known.add(id);
      const type = inferred?.[i];
      if (type && type.dtype === tensor.dtype && isUnknown(tensor, unknown))
        tensors.set(id, { ...tensor, shape: type.shape });
    });
    if (inferred !== null) checkDeclared(view(), inferred, report);
  }
  for (const id of graph.outputs) {
    const tensor = tensors.get(id);
    if (tensor && !known.has(id))
      sink.report("TH2009", {
        where: [...place, tensorName(tensor)],
        found: "an output of the model that nothing computes",
        fix: "convert the model again",
      });
  }
  return { ...graph, tensors };
}
