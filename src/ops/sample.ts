import { DiagnosticSink } from "../base/diagnostics.js";
import { elementsOf, makeData, rangeOf, type TensorData } from "../base/dtype.js";
import { type Random, seededRandom } from "../base/random.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, type Tensor, type Variable, viewOf } from "../ir/graph.js";
import { checkDeclared, inferOutputs, reportInto } from "./check.js";
import type { AnyOp, Graph, Node } from "./index.js";
import type { Sample, SampleTensor } from "./spec.js";

/** Seeded random elements for a sample's tensor: uniform over its range. */
export function randomData(tensor: Pick<SampleTensor, "shape" | "dtype" | "range">, random: Random): TensorData {
  const data = makeData(tensor.dtype, elementsOf(tensor.shape));
  const type = rangeOf(tensor.dtype);
  const wide = tensor.dtype === "float32" ? [-1, 1] : [Math.max(type.min, -(2 ** 31)), Math.min(type.max, 2 ** 31 - 1)];
  const [low = 0, high = 0] = tensor.range ?? wide;
  for (let i = 0; i < data.length; i++) {
    if (tensor.dtype === "float32") data[i] = low + random.unit() * (high - low);
    else if (data instanceof BigInt64Array) data[i] = BigInt(random.integer(low, high));
    else data[i] = random.integer(low, high);
  }
  return data;
}

function constantData(tensor: SampleTensor, random: Random): TensorData | null {
  if (tensor.constant === undefined) return null;
  if (tensor.constant === "random") return randomData(tensor, random);
  const data = makeData(tensor.dtype, elementsOf(tensor.shape));
  tensor.constant.forEach((value, i) => {
    data[i] = data instanceof BigInt64Array ? BigInt(value) : value;
  });
  return data;
}

/** A sample as a graph of one node, with random inputs to run it on. */
export interface SampleCase {
  readonly graph: Graph;
  readonly inputs: readonly TensorData[];
}

/** Builds the graph of one sample; output shapes come from inference. Throws the diagnostics of a bad sample. */
export function sampleCase(spec: AnyOp, sample: Sample<object>, seed = 1): SampleCase {
  const random = seededRandom(seed);
  const tensors = new Map<TensorId, Tensor>();
  const variables: Variable[] = [];
  const graphInputs: TensorId[] = [];
  const inputs: TensorData[] = [];
  const add = (tensor: Tensor): TensorId => {
    tensors.set(tensor.id, tensor);
    return tensor.id;
  };
  const nodeInputs = sample.inputs.map((t, i): TensorId | null => {
    if (t === null) return null;
    const id = tensorId(i);
    const data = constantData(t, random);
    if (t.resource) {
      variables.push({ ...t.resource, quant: t.resource.quant ?? null, initial: randomData(t.resource, random) });
    } else if (data === null && !t.variable) {
      graphInputs.push(id);
      inputs.push(randomData(t, random));
    }
    return add({
      id,
      name: `in${i}`,
      shape: t.shape,
      dtype: t.dtype,
      quant: t.quant ?? null,
      data,
      variable: t.variable ?? false,
      ...(t.resource ? { resource: t.resource.name } : {}),
    });
  });
  const outputs = sample.outputs.map((o, i) =>
    add({
      id: tensorId(100 + i),
      name: `out${i}`,
      shape: o.shape ?? [],
      dtype: o.dtype,
      quant: o.quant ?? null,
      data: null,
      variable: false,
    }),
  );
  const node = {
    op: spec.name,
    inputs: nodeInputs,
    outputs,
    attrs: sample.attrs,
    origin: { index: 0, op: spec.name },
  } as Node;
  const graph: Graph = { name: sample.name, tensors, nodes: [node], inputs: graphInputs, outputs, variables };
  const sink = new DiagnosticSink();
  const view = viewOf(graph, node) as NodeView<object>;
  const report = reportInto(sink, [sample.name], view);
  const types = inferOutputs(spec, view, report);
  sink.throwIfErrors();
  types?.forEach((type, i) => {
    const id = outputs[i];
    const declared = id === undefined ? undefined : tensors.get(id);
    if (declared && id !== undefined)
      tensors.set(id, { ...declared, shape: type.shape, ...(type.quant === "free" ? {} : { quant: type.quant }) });
  });
  if (types) checkDeclared(viewOf(graph, node) as NodeView<object>, types, report);
  sink.throwIfErrors();
  return { graph, inputs };
}
