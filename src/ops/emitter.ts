import { invariant } from "../base/assert.js";
import { DiagnosticSink } from "../base/diagnostics.js";
import type { TensorData } from "../base/dtype.js";
import { elementsOf } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type Origin, type Tensor, type TensorType, viewOf } from "../ir/graph.js";
import { inferOutputs, reportInto } from "./check.js";
import type { Emitter } from "./gradient.js";
import { findOp, type Graph, type Node } from "./index.js";

/** A graph under construction, and what adds to it. */
export interface GraphEmitter extends Emitter {
  /** All nodes so far, in order. */
  readonly nodes: () => readonly Node[];
  readonly tensors: () => ReadonlyMap<TensorId, Tensor>;
  /** Adds a tensor that no node computes: an input. */
  readonly input: (name: string, shape: readonly number[]) => Tensor;
  /** Adds nodes and tensors as they are. */
  readonly append: (nodes: readonly Node[], tensors: Iterable<Tensor>) => void;
  /** Gives the output `from` of the last node another id, which later nodes already read. */
  readonly rename: (from: TensorId, to: TensorId) => void;
  /** Nodes emitted inside `body` carry this origin. */
  readonly from: <T>(origin: Origin, body: () => T) => T;
}

const typeOfData = (data: TensorData): "float32" | "int32" => (data instanceof Float32Array ? "float32" : "int32");

/** Starts with the tensors of a graph, but none of its nodes. Throws the diagnostics of a node that makes no sense. */
export function graphEmitter(base: Pick<Graph, "tensors" | "name">): GraphEmitter {
  const tensors = new Map(base.tensors);
  const nodes: Node[] = [];
  let origin: Origin = { index: -1, op: "training" };
  let next = 1 + Math.max(-1, ...[...tensors.keys()].map(Number));
  const create = (tensor: Omit<Tensor, "id" | "variable" | "quant">): Tensor => {
    const made: Tensor = { ...tensor, id: tensorId(next++), variable: false, quant: null };
    tensors.set(made.id, made);
    return made;
  };
  const scratch = (type: TensorType): Tensor => create({ name: "", shape: type.shape, dtype: type.dtype, data: null });
  const infer = (op: string, inputs: readonly (Tensor | null)[], attrs: object): readonly TensorType[] => {
    const spec = findOp(op);
    invariant(spec, `operator ${op} is not registered`);
    const sink = new DiagnosticSink();
    // Some operators ask the outputs for their type; the number of outputs is known where it varies.
    const count = "count" in attrs && spec.arity.outputs[1] > 1 ? Number(attrs.count) : spec.arity.outputs[0];
    const dtype = inputs.find((t) => t !== null)?.dtype ?? "float32";
    const outputs = Array.from({ length: count }, (_, i): Tensor => {
      return { id: tensorId(next + i), name: op, shape: [], dtype, quant: null, data: null, variable: false };
    });
    const view = { op, attrs, inputs, outputs, origin };
    const types = inferOutputs(spec, view, reportInto(sink, [base.name], view));
    sink.throwIfErrors();
    invariant(types, `operator ${op} has no output types`);
    return types.map((t) => ({ shape: t.shape, dtype: t.dtype, quant: t.quant === "free" ? null : t.quant }));
  };
  return {
    nodes: () => nodes,
    tensors: () => tensors,
    input: (name, shape) => create({ name, shape, dtype: "float32", data: null }),
    append: (more, added) => {
      for (const t of added) {
        tensors.set(t.id, t);
        next = Math.max(next, t.id + 1);
      }
      nodes.push(...more);
    },
    rename: (from, to) => {
      const last = nodes.at(-1);
      invariant(last, "a node");
      nodes[nodes.length - 1] = { ...last, outputs: last.outputs.map((id) => (id === from ? to : id)) } as Node;
      tensors.delete(from);
    },
    from: (given, body) => {
      const before = origin;
      origin = given;
      try {
        return body();
      } finally {
        origin = before;
      }
    },
    constant: (shape, data) => {
      invariant(data.length === elementsOf(shape), `a constant of ${data.length} elements for [${shape.join(", ")}]`);
      return create({ name: "", shape, dtype: typeOfData(data), data });
    },
    node: (op, inputs, attrs = {}, types) => {
      const outputs = (types ?? infer(op, inputs, attrs)).map(scratch);
      nodes.push({
        op,
        inputs: inputs.map((t) => t?.id ?? null),
        outputs: outputs.map((t) => t.id),
        attrs,
        origin,
      } as Node);
      return outputs;
    },
  };
}

/** A node's tensors, resolved in a graph under construction. */
export const emittedView = (e: GraphEmitter, node: Node) =>
  viewOf({ name: "", tensors: e.tensors(), nodes: [], inputs: [], outputs: [], variables: [] }, node);
