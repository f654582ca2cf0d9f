import { Builder } from "flatbuffers";
import { version } from "../../base/assets.js";
import { DiagnosticError, DiagnosticSink } from "../../base/diagnostics.js";
import { toBytes } from "../../base/dtype.js";
import { type NodeView, originName, type Tensor, viewOf } from "../../ir/graph.js";
import { type Graph, type Model, type Node, specOf } from "../../ops/index.js";
import { spellPadding } from "./padding.js";
import { fileIdentifier, schemaVersion, slots, tensorTypes, wideBuiltin } from "./schema.js";
import { writeBytes, writeFloats, writeInt32s, writeInt64s, writeOffsets, writeOptions, writeTable } from "./writer.js";

/** Operator codes and buffers, shared by all subgraphs. */
interface Pools {
  readonly builder: Builder;
  readonly codes: Map<string, { readonly index: number; readonly builtin: number; readonly version: number }>;
  readonly buffers: number[];
}

function codeIndex(pools: Pools, node: Node): number {
  const { tflite } = specOf(node);
  const builtin = tflite === "none" ? 0 : tflite.builtin;
  const opVersion = node.origin.version ?? 1;
  const key = `${builtin}/${opVersion}`;
  const known = pools.codes.get(key) ?? { index: pools.codes.size, builtin, version: opVersion };
  pools.codes.set(key, known);
  return known.index;
}

function writeQuantization(builder: Builder, tensor: Tensor): number | null {
  if (tensor.quant === null) return null;
  const scale = writeFloats(builder, tensor.quant.scales);
  const zeroPoint = writeInt64s(builder, tensor.quant.zeroPoints);
  return writeTable(builder, {
    [slots.quantization.scale]: { kind: "offset", value: scale },
    [slots.quantization.zeroPoint]: { kind: "offset", value: zeroPoint },
    [slots.quantization.quantizedDimension]: { kind: "int32", value: tensor.quant.axis },
  });
}

function writeTensor(pools: Pools, tensor: Tensor): number {
  const { builder } = pools;
  let buffer = 0;
  if (tensor.data !== null) {
    const data = writeBytes(builder, toBytes(tensor.dtype, tensor.data));
    buffer = pools.buffers.push(writeTable(builder, { [slots.buffer.data]: { kind: "offset", value: data } })) - 1;
  }
  const shape = writeInt32s(builder, tensor.shape);
  const name = builder.createString(tensor.name);
  const quantization = writeQuantization(builder, tensor);
  return writeTable(builder, {
    [slots.tensor.shape]: { kind: "offset", value: shape },
    [slots.tensor.type]: { kind: "int8", value: tensorTypes.indexOf(tensor.dtype) },
    [slots.tensor.buffer]: { kind: "uint32", value: buffer },
    [slots.tensor.name]: { kind: "offset", value: name },
    [slots.tensor.quantization]: quantization === null ? null : { kind: "offset", value: quantization },
    [slots.tensor.isVariable]: { kind: "bool", value: tensor.variable ? 1 : 0 },
  });
}

/** A node's inputs as the file lists them. */
function listedInputs(node: Node): readonly (number | null)[] {
  const { tflite } = specOf(node);
  if (tflite === "none" || !tflite.leavesOffInputs) return node.inputs;
  return node.inputs.slice(0, node.inputs.findLastIndex((id) => id !== null) + 1);
}

function writeOperator(pools: Pools, graph: Graph, node: Node, indexOf: ReadonlyMap<number, number>): number {
  const { builder } = pools;
  const { tflite } = specOf(node);
  const index = (id: number | null): number => (id === null ? -1 : (indexOf.get(id) ?? -1));
  const inputs = writeInt32s(builder, listedInputs(node).map(index));
  const outputs = writeInt32s(builder, node.outputs.map(index));
  const options =
    tflite === "none" || tflite.options.tag === 0
      ? null
      : writeOptions(
          builder,
          tflite.options.fields,
          tflite.encode(node.attrs, viewOf(graph, node) as NodeView<object>),
        );
  return writeTable(builder, {
    [slots.operator.opcodeIndex]: { kind: "uint32", value: codeIndex(pools, node) },
    [slots.operator.inputs]: { kind: "offset", value: inputs },
    [slots.operator.outputs]: { kind: "offset", value: outputs },
    [slots.operator.optionsType]: { kind: "int8", value: tflite === "none" ? 0 : tflite.options.tag },
    [slots.operator.options]: options === null ? null : { kind: "offset", value: options },
  });
}

function writeSubgraph(pools: Pools, graph: Graph): number {
  const { builder } = pools;
  const tensors = [...graph.tensors.values()];
  const indexOf = new Map<number, number>(tensors.map((t, i) => [t.id, i]));
  const index = (id: number): number => indexOf.get(id) ?? -1;
  const tensorOffsets = writeOffsets(
    builder,
    tensors.map((t) => writeTensor(pools, t)),
  );
  const operators = writeOffsets(
    builder,
    graph.nodes.map((n) => writeOperator(pools, graph, n, indexOf)),
  );
  const inputs = writeInt32s(builder, graph.inputs.map(index));
  const outputs = writeInt32s(builder, graph.outputs.map(index));
  const name = builder.createString(graph.name);
  return writeTable(builder, {
    [slots.subgraph.tensors]: { kind: "offset", value: tensorOffsets },
    [slots.subgraph.inputs]: { kind: "offset", value: inputs },
    [slots.subgraph.outputs]: { kind: "offset", value: outputs },
    [slots.subgraph.operators]: { kind: "offset", value: operators },
    [slots.subgraph.name]: { kind: "offset", value: name },
  });
}

/** Everything of a graph that TFLite's format has no place for. */
function checkWritable(graph: Graph, sink: DiagnosticSink): void {
  for (const node of graph.nodes) {
    const where = [graph.name, originName(node.origin)];
    if (specOf(node).tflite === "none")
      sink.report("TH1012", { where, found: node.op, fix: "write the graph before this operator was introduced" });
    const { padding } = node.attrs as { readonly padding?: unknown };
    if (Array.isArray(padding))
      sink.report("TH1012", {
        where,
        found: `explicit padding [${padding.join(", ")}]`,
        expected: "SAME or VALID",
        fix: "write the graph before padding is fused",
      });
  }
}

/**
 * Writes a model as a TensorFlow Lite file, schema version 3. The result reads back to the same graph, and opens in
 * other TFLite runtimes; explicit padding is written as SAME or as a PAD. Throws TH1012 for what the format cannot say.
 */
export function exportTflite(given: Pick<Model, "main" | "subgraphs">): Uint8Array {
  const model = { main: spellPadding(given.main), subgraphs: given.subgraphs.map(spellPadding) };
  const sink = new DiagnosticSink();
  for (const graph of [model.main, ...model.subgraphs]) checkWritable(graph, sink);
  if (sink.hasErrors) throw new DiagnosticError(sink.all);
  const builder = new Builder(1 << 16);
  const pools: Pools = { builder, codes: new Map(), buffers: [] };
  // Buffer 0 is by convention the empty one.
  pools.buffers.push(writeTable(builder, {}));
  const subgraphs = writeOffsets(
    builder,
    [model.main, ...model.subgraphs].map((g) => writeSubgraph(pools, g)),
  );
  const codes = writeOffsets(
    builder,
    [...pools.codes.values()].map((code) =>
      writeTable(builder, {
        [slots.operatorCode.deprecatedBuiltinCode]: { kind: "int8", value: Math.min(code.builtin, wideBuiltin) },
        [slots.operatorCode.version]: { kind: "int32", value: code.version, fallback: 1 },
        [slots.operatorCode.builtinCode]: { kind: "int32", value: code.builtin },
      }),
    ),
  );
  const description = builder.createString(`thimble ${version}`);
  const buffers = writeOffsets(builder, pools.buffers);
  const root = writeTable(builder, {
    [slots.model.version]: { kind: "uint32", value: schemaVersion },
    [slots.model.operatorCodes]: { kind: "offset", value: codes },
    [slots.model.subgraphs]: { kind: "offset", value: subgraphs },
    [slots.model.description]: { kind: "offset", value: description },
    [slots.model.buffers]: { kind: "offset", value: buffers },
  });
  builder.finish(root, fileIdentifier);
  return builder.asUint8Array();
}
