import { DiagnosticSink } from "../base/diagnostics.js";
import type { DType, TensorData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import type { NodeView, Tensor } from "../ir/graph.js";
import { inferOutputs } from "../ops/check.js";
import { type Graph, type Node, type OpName, specOf } from "../ops/index.js";

/** A graph that grows node by node; shapes of outputs are inferred. Throws the operators' own diagnostics. */
export interface Draft {
  /** A float32 (or other) input of the network. */
  readonly input: (name: string, shape: readonly number[], dtype?: DType) => Tensor;
  readonly constant: (name: string, shape: readonly number[], data: TensorData, dtype?: DType) => Tensor;
  /** A state tensor, kept between invocations. */
  readonly variable: (name: string, shape: readonly number[]) => Tensor;
  /** Adds an operator and returns its first output. */
  readonly node: (op: OpName, name: string, inputs: readonly (Tensor | null)[], attrs?: object) => Tensor;
  readonly graph: (name: string, outputs: readonly Tensor[]) => Graph;
}

const emptyTensor = { quant: null, data: null, variable: false } as const;

export function newDraft(): Draft {
  const tensors = new Map<TensorId, Tensor>();
  const nodes: Node[] = [];
  const inputs: TensorId[] = [];
  const add = (tensor: Omit<Tensor, "id">): Tensor => {
    const made = { ...tensor, id: tensorId(tensors.size) };
    tensors.set(made.id, made);
    return made;
  };
  return {
    input: (name, shape, dtype = "float32") => {
      const tensor = add({ ...emptyTensor, name, shape, dtype });
      inputs.push(tensor.id);
      return tensor;
    },
    constant: (name, shape, data, dtype = "float32") => add({ ...emptyTensor, name, shape, dtype, data }),
    variable: (name, shape) => add({ ...emptyTensor, name, shape, dtype: "float32", variable: true }),
    node: (op, name, given, attrs = {}) => {
      const origin = { index: nodes.length, op };
      // Inference asks for the outputs' element type only where no input decides it; here all are float32.
      const stand: Tensor = { ...emptyTensor, id: tensorId(tensors.size), name, shape: [], dtype: "float32" };
      const view: NodeView<object> = { op, attrs, inputs: given, outputs: [stand], origin };
      const sink = new DiagnosticSink();
      const types = inferOutputs(specOf({ op }), view, (code, problem) =>
        sink.report(code, { ...problem, where: [`${op} ${JSON.stringify(name)}`, ...(problem.where ?? [])] }),
      );
      sink.throwIfErrors();
      const outputs = (types ?? []).map((t, i) =>
        add({ ...emptyTensor, name: i === 0 ? name : `${name}:${i}`, shape: t.shape, dtype: t.dtype }),
      );
      const [first] = outputs;
      if (first === undefined) throw new RangeError(`${op} ${name} has no output`);
      nodes.push({
        op,
        inputs: given.map((t) => t?.id ?? null),
        outputs: outputs.map((t) => t.id),
        attrs,
        origin,
      } as unknown as Node);
      return first;
    },
    graph: (name, outputs) => ({
      name,
      tensors,
      nodes,
      inputs,
      outputs: outputs.map((t) => t.id),
      variables: [],
    }),
  };
}
