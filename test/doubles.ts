import { elementsOf, makeData, type TensorData } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { viewOf } from "../src/ir/graph.js";
import { type Graph, specOf } from "../src/ops/index.js";
import type { ExecView } from "../src/ops/spec.js";

/** Values of tensors, those of float32 tensors in double. */
export type Doubles = Map<TensorId, TensorData | Float64Array>;

const storage = (dtype: string, elements: number): TensorData | Float64Array =>
  dtype === "float32" ? new Float64Array(elements) : makeData(dtype as "int32", elements);

/** Runs a graph's references with every float32 tensor held in double. Values given come before constants. */
export function runInDouble(graph: Graph, given: Doubles): Doubles {
  const values: Doubles = new Map(given);
  const read = (id: TensorId): TensorData | Float64Array | null =>
    values.get(id) ?? graph.tensors.get(id)?.data ?? null;
  for (const node of graph.nodes) {
    const view = viewOf(graph, node);
    const out = view.outputs.map((t) => storage(t.dtype, elementsOf(t.shape)));
    const exec = {
      ...view,
      in: node.inputs.map((id) => (id === null ? null : read(id))),
      out,
      variable: () => new Float32Array(0),
    };
    specOf(node).reference(exec as unknown as ExecView<object>);
    node.outputs.forEach((id, i) => {
      values.set(id, out[i] as TensorData);
    });
  }
  return values;
}
