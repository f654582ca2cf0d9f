import { DiagnosticSink } from "../../../base/diagnostics.js";
import { type NodeView, originName, type Tensor, tensorOf, viewOf } from "../../../ir/graph.js";
import type { Graph, Node, OpName } from "../../../ops/index.js";
import { type OnnxPort, onnxWriter } from "../writer.js";
import { exportContext, type Lower } from "./context.js";
import { elementwiseLowerings } from "./elementwise.js";
import { identity } from "./layouts.js";
import { movementLowerings } from "./movement.js";
import { hasQuantized, quantizedLowerings, withFloatOperators } from "./qdq.js";
import { sequenceLowerings } from "./sequences.js";
import { meanLowering, spatialLowerings } from "./spatial.js";
import { trainingLowerings } from "./training.js";

/** How operators are written. */
export type Lowerings = Partial<Record<OpName, Lower>>;

/** ONNX's own operators (and FusedMatMul of ONNX Runtime, for gradients): float32, images as NCHW inside. */
export const plainLowerings: Lowerings = {
  ...elementwiseLowerings,
  ...movementLowerings,
  ...spatialLowerings,
  ...sequenceLowerings,
  ...trainingLowerings,
  ...quantizedLowerings,
  MEAN: meanLowering(elementwiseLowerings.MEAN),
};

export interface OnnxExportOptions {
  /** Default {@link plainLowerings}. */
  readonly lowerings?: Lowerings;
  /** Channels in a block, for lowerings that use ONNX Runtime's blocked layout. */
  readonly block?: number;
}

/** Operators that can be written. */
export const exportable = (op: OpName): boolean => plainLowerings[op] !== undefined;

/**
 * A float or int8 graph as an ONNX model, opset 17 and IR 8; int8 as float operators between QuantizeLinear and
 * DequantizeLinear. Inputs and outputs keep the graph's shapes (images NHWC) and its
 * tensors' names; between them, images are NCHW and no transpose stands between two operators that take them so.
 * Throws TH1013 for every operator or type that has no ONNX form.
 */
export function exportOnnx(given: Graph, options: OnnxExportOptions = {}): Uint8Array {
  const graph = hasQuantized(given) ? withFloatOperators(given) : given;
  const lowerings = options.lowerings ?? plainLowerings;
  const sink = new DiagnosticSink();
  for (const node of graph.nodes) {
    const isEdge = node.op === "QUANTIZE" || node.op === "DEQUANTIZE";
    const ports = [...viewOf(graph, node).inputs, ...viewOf(graph, node).outputs];
    const quantized = ports.find((t) => t?.quant && (!isEdge || t.dtype === "int16"));
    if (lowerings[node.op] !== undefined && !quantized) continue;
    sink.report("TH1013", {
      where: [graph.name, originName(node.origin)],
      found: quantized ? `${node.op} of ${quantized.dtype}` : node.op,
      fix: "export a float or an int8 network, or leave the operator out",
    });
  }
  sink.throwIfErrors();
  const writer = onnxWriter(graph.name);
  const context = exportContext(writer, {
    block: options.block ?? 0,
    inputs: new Set(graph.inputs),
    readers: readersOf(graph),
  });
  const names = portNames(graph);
  for (const id of graph.inputs) {
    const t = tensorOf(graph, id);
    context.give(t, identity(t.shape.length), names.get(id) ?? "");
  }
  for (const node of graph.nodes) {
    if (node.outputs.some((id) => context.absorbed.has(id))) continue;
    lowerings[node.op]?.(context, viewOf(graph, node) as NodeView<never>);
  }
  const outputs = graph.outputs.map((id, i): OnnxPort => {
    const t = tensorOf(graph, id);
    const name = graph.outputs.indexOf(id) === i && !graph.inputs.includes(id) ? (names.get(id) ?? "") : `output_${i}`;
    writer.node("Identity", [context.take(t, identity(t.shape.length))], {}, { outputs: [name] });
    return port(name, t);
  });
  return writer.finish(
    graph.inputs.map((id) => port(names.get(id) ?? "", tensorOf(graph, id))),
    outputs,
  );
}

/** The nodes that read each tensor, those that are outputs counted twice. */
function readersOf(graph: Graph): (tensor: Tensor) => readonly NodeView<never>[] {
  const known = new Map<number, Node[]>();
  for (const node of graph.nodes)
    for (const id of new Set(node.inputs)) if (id !== null) known.set(id, [...(known.get(id) ?? []), node]);
  return ({ id }) => {
    const nodes = known.get(id) ?? [];
    const all = graph.outputs.includes(id) ? [...nodes, ...nodes] : nodes;
    return all.map((node) => viewOf(graph, node) as NodeView<never>);
  };
}

const port = (name: string, t: Tensor): OnnxPort => ({ name, type: t.dtype as OnnxPort["type"], shape: t.shape });

/** Names of inputs and outputs: the tensors' own, made unique. */
function portNames(graph: Graph): ReadonlyMap<number, string> {
  const used = new Set<string>();
  const names = new Map<number, string>();
  for (const id of [...graph.inputs, ...graph.outputs]) {
    if (names.has(id)) continue;
    const own = tensorOf(graph, id).name || `tensor_${id}`;
    // Values inside are v0, c0 and so on.
    const safe = /^[vc]\d+$/.test(own) ? `${own}_` : own;
    const name = used.has(safe) ? `${safe}_${id}` : safe;
    used.add(name);
    names.set(id, name);
  }
  return names;
}
