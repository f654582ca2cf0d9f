import { DiagnosticSink } from "../base/diagnostics.js";
import { elementsOf, makeData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type NodeView, originName, type Tensor, viewOf } from "../ir/graph.js";
import { inferOutputs, reportInto } from "../ops/check.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

/** A shape whose first axis is the batch, for another batch; a batch that is folded into the axis grows with it. */
const scaled = (shape: readonly number[], batch: number): readonly number[] =>
  shape.length === 0 ? shape : shape.with(0, (shape[0] ?? 1) * batch);

/** Constant inputs that state a shape with the batch in it. */
const shapeInputs: Readonly<Record<string, number>> = { RESHAPE: 1, SLICE: 2, TRANSPOSE_CONV: 0 };

function rebatchedShape(tensor: Tensor, batch: number): Tensor {
  const values = Array.from(tensor.data as Int32Array, Number);
  if ((values[0] ?? -1) === -1) return tensor;
  return { ...tensor, data: Int32Array.from(scaled(values, batch)), dtype: "int32" };
}

/** A node as inference sees it where weights are computed from constants alone: constant, whatever they are. */
const settledView = (view: NodeView<object>, settled: ReadonlySet<TensorId>): NodeView<object> => ({
  ...view,
  inputs: view.inputs.map((t) =>
    t !== null && t.data === null && settled.has(t.id) ? { ...t, data: makeData(t.dtype, elementsOf(t.shape)) } : t,
  ),
});

/** Reports a sequence that would get longer in place of more: one whose first axis, which the batch becomes, is time. */
function checkSteps(before: NodeView<object>, after: NodeView<object>, sink: DiagnosticSink): void {
  const { recurrence } = specOf(before as unknown as Node).traits;
  if (recurrence === "none" || recurrence.steps(before) === recurrence.steps(after)) return;
  sink.report("TH2015", {
    where: [originName(before.origin)],
    found: `${recurrence.steps(after)} steps in a batch`,
    expected: `${recurrence.steps(before)}, as without`,
    fix: "give the network inputs of [batch, steps, size], and a layer that takes them so",
  });
}

/**
 * A graph of batch 1 as one of batch `batch`: inputs get that first axis, constants that state shapes follow, and all other
 * shapes are inferred anew. Throws the operators' diagnostics where one cannot have a larger batch.
 */
export function rebatch(graph: Graph, batch: number): Graph {
  if (batch === 1) return graph;
  const tensors = new Map(graph.tensors);
  const inputs = new Set<TensorId>(graph.inputs);
  const settled = new Set<TensorId>();
  for (const id of [...graph.inputs, ...[...tensors.values()].filter((t) => t.variable).map((t) => t.id)]) {
    const t = tensors.get(id);
    if (t) tensors.set(id, { ...t, shape: scaled(t.shape, batch) });
  }
  let next = 1 + Math.max(-1, ...[...tensors.keys()].map(Number));
  const sink = new DiagnosticSink();
  const nodes = graph.nodes.map((node): Node => {
    const at = shapeInputs[node.op];
    const shapeId = at === undefined ? null : (node.inputs[at] ?? null);
    const stated = shapeId === null ? undefined : tensors.get(shapeId);
    let changed = node;
    if (stated?.data) {
      const fresh = next++ as TensorId;
      tensors.set(fresh, { ...rebatchedShape(stated, batch), id: fresh });
      changed = { ...node, inputs: node.inputs.map((id, i) => (i === at ? fresh : id)) } as Node;
    }
    // A batch that the node cannot see, because all it reads is constant, does not change.
    const moves = node.inputs.some((id) => id !== null && inputs.has(id));
    if (node.op === "RESHAPE" && moves && node.attrs.shape.length > 0 && node.attrs.shape[0] !== -1)
      changed = { ...changed, attrs: { shape: scaled(node.attrs.shape, batch) } } as Node;
    const view = settledView(viewOf({ ...graph, tensors }, changed) as NodeView<object>, settled);
    checkSteps(viewOf(graph, node) as NodeView<object>, view, sink);
    const types = inferOutputs(specOf(changed), view, reportInto(sink, [graph.name], view));
    changed.outputs.forEach((id, i) => {
      const t = tensors.get(id);
      const type = types?.[i];
      if (t && type) tensors.set(id, { ...t, shape: type.shape });
      if (moves) inputs.add(id);
      else settled.add(id);
    });
    return changed;
  });
  sink.throwIfErrors();
  return { ...graph, tensors, nodes };
}
