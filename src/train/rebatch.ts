import { DiagnosticSink } from "../base/diagnostics.js";
import { elementsOf, makeData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, originName, type Tensor, viewOf } from "../ir/graph.js";
import { inferOutputs, reportInto } from "../ops/check.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

/** A shape with the batch in an axis, for another batch; a batch that is folded into the axis grows with it. */
const scaled = (shape: readonly number[], batch: number, axis = 0): readonly number[] =>
  shape.length === 0 ? shape : shape.with(axis, (shape[axis] ?? 1) * batch);

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/**
 * The axis that the batch has after a reshape: the first, unless something longer than 1 is before it, as the steps of a
 * sequence may be. Null where it is in the midst of an axis.
 */
function reshapedAxis(before: readonly number[], after: readonly number[], output: readonly number[]): number | null {
  const from = before.findIndex((size, d) => after[d] !== size);
  const outer = product(before.slice(0, Math.max(from, 0)));
  if (outer === 1) return 0;
  const axes = [...output.keys()].filter((d) => output[d] === 1 && product(output.slice(0, d)) === outer);
  return axes.toSorted((a, b) => Math.abs(a - from) - Math.abs(b - from))[0] ?? null;
}

/** Constant inputs that state a shape with the batch in it. */
const shapeInputs: Readonly<Record<string, number>> = { RESHAPE: 1, SLICE: 2, TRANSPOSE_CONV: 0 };

function rebatchedShape(tensor: Tensor, batch: number, axis: number): Tensor {
  const values = Array.from(tensor.data as Int32Array, Number);
  if ((values[axis] ?? -1) === -1) return tensor;
  return { ...tensor, data: Int32Array.from(scaled(values, batch, axis)), dtype: "int32" };
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
  const shapeOf = (id: TensorId | null | undefined, of: ReadonlyMap<TensorId, Tensor>): readonly number[] =>
    of.get(id ?? tensorId(-1))?.shape ?? [];
  const axisOf = (node: Node): number => {
    const [x, y] = [node.inputs[0], node.outputs[0]];
    const axis = reshapedAxis(shapeOf(x, graph.tensors), shapeOf(x, tensors), shapeOf(y, graph.tensors));
    if (axis === null)
      sink.report("TH2015", {
        where: [graph.name, originName(node.origin)],
        found: `a batch in the midst of [${shapeOf(x, graph.tensors).join(", ")}] becomes part of an axis`,
        fix: "reshape with the batch as the first axis",
      });
    return axis ?? 0;
  };
  const nodes = graph.nodes.map((node): Node => {
    const at = shapeInputs[node.op];
    const shapeId = at === undefined ? null : (node.inputs[at] ?? null);
    const stated = shapeId === null ? undefined : tensors.get(shapeId);
    let changed = node;
    const axis = node.op === "RESHAPE" ? axisOf(node) : 0;
    if (stated?.data) {
      const fresh = next++ as TensorId;
      tensors.set(fresh, { ...rebatchedShape(stated, batch, axis), id: fresh });
      changed = { ...node, inputs: node.inputs.map((id, i) => (i === at ? fresh : id)) } as Node;
    }
    // A batch that the node cannot see, because all it reads is constant, does not change.
    const moves = node.inputs.some((id) => id !== null && inputs.has(id));
    if (node.op === "RESHAPE" && moves && node.attrs.shape.length > 0 && node.attrs.shape[axis] !== -1)
      changed = { ...changed, attrs: { shape: scaled(node.attrs.shape, batch, axis) } } as Node;
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
