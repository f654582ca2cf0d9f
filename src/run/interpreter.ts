import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { elementsOf, makeData, type TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf, type Variable, viewOf } from "../ir/graph.js";
import { type Graph, type Model, type Node, specOf } from "../ops/index.js";
import type { ExecView } from "../ops/spec.js";

/** Called after each node with the data of its outputs, which are only valid during the call. */
export type Observer = (node: Node, outputs: readonly TensorData[]) => void;

/** A network with state: variables keep their values from one invocation to the next. */
export interface Session {
  /** Runs once. Inputs and outputs are in graph order, typed as their tensors; throws TH6002 for a wrong length. */
  readonly invoke: (inputs: readonly TensorData[], observer?: Observer) => readonly TensorData[];
  /** Forgets all state. */
  readonly reset: () => void;
  /** A copy of what a variable holds now. */
  readonly variable: (name: string) => TensorData | undefined;
}

/** Zeros, or the zero point of a quantized type: what state holds before its first use, as in TFLM. */
function initialState(tensor: Tensor | Variable): TensorData {
  const initial = "initial" in tensor ? tensor.initial : tensor.data;
  if (initial !== null) return initial.slice();
  const data = makeData(tensor.dtype, elementsOf(tensor.shape));
  const zero = tensor.dtype === "int8" ? (tensor.quant?.zeroPoints[0] ?? 0) : 0;
  if (zero !== 0) (data as Int8Array).fill(zero);
  return data;
}

/** A resource tensor has a name and no bytes. */
const constantOf = (tensor: Tensor): TensorData | null =>
  tensor.dtype === "resource" ? new Uint8Array(0) : tensor.data;

/** Prepares the reference interpreter, which defines what every other target must compute. */
export function createSession(model: Pick<Model, "main" | "subgraphs">): Session {
  const variables = new Map<string, TensorData>();
  const states = new Map<TensorId, TensorData>();
  const reset = (): void => {
    variables.clear();
    states.clear();
    for (const v of model.main.variables) variables.set(v.name, initialState(v));
    for (const t of model.main.tensors.values()) if (t.variable) states.set(t.id, initialState(t));
    for (const node of model.main.nodes) {
      if (node.op !== "CALL_ONCE") continue;
      const subgraph = present(model.subgraphs[node.attrs.subgraph - 1], "subgraph");
      execute(subgraph, [], variables, new Map());
    }
  };
  reset();
  return {
    reset,
    invoke: (inputs, observer) => execute(model.main, inputs, variables, states, observer),
    variable: (name) => variables.get(name)?.slice(),
  };
}

function checkInputs(graph: Graph, inputs: readonly TensorData[]): void {
  graph.inputs.forEach((id, i) => {
    const tensor = tensorOf(graph, id);
    const expected = elementsOf(tensor.shape);
    const found = inputs[i]?.length;
    if (found === expected) return;
    fail("TH6002", {
      where: [graph.name, `input ${i} ${JSON.stringify(tensor.name)}`],
      found: found === undefined ? "nothing" : `${found} elements`,
      expected: `${expected} elements of ${tensor.dtype} [${tensor.shape.join(", ")}]`,
      fix: "give one array for each input of the model",
    });
  });
}

/** The index of the last node that reads each tensor; outputs of the graph are never dropped. */
function lastUses(graph: Graph): ReadonlyMap<TensorId, number> {
  const last = new Map<TensorId, number>();
  graph.nodes.forEach((node, i) => {
    for (const id of [...node.inputs, ...node.outputs]) if (id !== null) last.set(id, i);
  });
  for (const id of graph.outputs) last.set(id, Infinity);
  return last;
}

function execute(
  graph: Graph,
  inputs: readonly TensorData[],
  variables: ReadonlyMap<string, TensorData>,
  states: ReadonlyMap<TensorId, TensorData>,
  observer?: Observer,
): readonly TensorData[] {
  checkInputs(graph, inputs);
  const values = new Map<TensorId, TensorData>(states);
  for (const [i, id] of graph.inputs.entries()) values.set(id, present(inputs[i], "input"));
  const read = (id: TensorId): TensorData =>
    values.get(id) ?? present(constantOf(tensorOf(graph, id)), `value of tensor ${id}`);
  const last = lastUses(graph);

  graph.nodes.forEach((node, index) => {
    const view = viewOf(graph, node);
    const out = view.outputs.map((t) => makeData(t.dtype, elementsOf(t.shape)));
    const exec: ExecView<object> = {
      ...view,
      in: node.inputs.map((id) => (id === null ? null : read(id))),
      out,
      variable: (name) => present(variables.get(name), `variable ${name}`),
    };
    specOf(node).reference(exec);
    node.outputs.forEach((id, i) => {
      values.set(id, present(out[i], "output"));
    });
    observer?.(node, out);
    for (const id of node.inputs) if (id !== null && last.get(id) === index && !states.has(id)) values.delete(id);
  });
  return graph.outputs.map((id) => read(id).slice());
}
