import { createHash } from "node:crypto";
import { DiagnosticError, DiagnosticSink, diagnostic } from "../../base/diagnostics.js";
import type { TensorId } from "../../base/units.js";
import type { Tensor, Variable } from "../../ir/graph.js";
import { checkGraph } from "../../ops/check-graph.js";
import type { Graph, Model, Node } from "../../ops/index.js";
import { type OperatorCode, readOperator, readOperatorCode, tensorRefs } from "./operators.js";
import { CorruptFile, rootTable, type Source, sourceOf, type Table } from "./reader.js";
import { fileIdentifier, schemaVersion, slots } from "./schema.js";
import { readTensor } from "./tensors.js";

interface FileContext {
  readonly sink: DiagnosticSink;
  readonly file: string;
  readonly codes: readonly OperatorCode[];
  readonly buffers: readonly (Uint8Array | null)[];
}

/** Runs `read`; a corrupt structure becomes a diagnostic, so that the rest of the file is still looked at. */
function attempt<T>(sink: DiagnosticSink, where: readonly string[], read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptFile)) throw error;
    sink.report("TH1002", {
      where,
      found: error.message,
      fix: "copy or download the file again, or convert the model again",
    });
    return null;
  }
}

function readBuffer(source: Source, table: Table): Uint8Array | null {
  const inline = table.bytes(slots.buffer.data);
  if (inline !== null && inline.length > 0) return inline;
  // Files over 2 GB, and those of newer converters, keep contents after the FlatBuffer.
  const offset = table.uint64(slots.buffer.offset);
  const size = table.uint64(slots.buffer.size);
  if (offset <= 1 || size === 0) return null;
  if (offset + size > source.bytes.length)
    throw new CorruptFile(`${size} bytes at ${offset} of a file of ${source.bytes.length}`);
  return source.bytes.subarray(offset, offset + size);
}

/** What READ_VARIABLE and ASSIGN_VARIABLE tell of each variable, and resource tensors named after theirs. */
function resolveVariables(graph: Graph, variables: Map<string, Variable>): Graph {
  const tensors = new Map(graph.tensors);
  for (const node of graph.nodes) {
    const [first, second] = node.inputs;
    const [output] = node.outputs;
    if (node.op === "VAR_HANDLE" && output !== undefined) {
      const tensor = tensors.get(output);
      if (tensor) tensors.set(output, { ...tensor, resource: node.attrs.sharedName });
    } else if (node.op === "READ_VARIABLE" || node.op === "ASSIGN_VARIABLE") {
      const value = node.op === "READ_VARIABLE" ? output : second;
      const name = first === null || first === undefined ? undefined : tensors.get(first)?.resource;
      const type = value === null || value === undefined ? undefined : tensors.get(value);
      if (name === undefined || type === undefined || variables.has(name)) continue;
      variables.set(name, { name, shape: type.shape, dtype: type.dtype, quant: type.quant, initial: null });
    }
  }
  return { ...graph, tensors };
}

function readSubgraph(
  c: FileContext,
  table: Table,
  index: number,
): { graph: Graph; open: ReadonlySet<TensorId> } | null {
  const { sink } = c;
  const name = attempt(sink, [c.file, `subgraph ${index}`], () => table.string(slots.subgraph.name)) ?? "";
  const place =
    index === 0
      ? [c.file]
      : [c.file, `subgraph ${index}${name === "" ? "" : ` ${JSON.stringify(name.slice(0, 100))}`}`];
  const tables = attempt(sink, place, () => table.tables(slots.subgraph.tensors)) ?? [];
  const tensors = new Map<TensorId, Tensor>();
  const open = new Set<TensorId>();
  tables.forEach((t, i) => {
    const read = attempt(sink, [...place, `tensor ${i}`], () => readTensor({ sink, buffers: c.buffers, place }, t, i));
    if (read === null) return;
    tensors.set(read.tensor.id, read.tensor);
    if (read.open) open.add(read.tensor.id);
  });
  const context = { sink, place, codes: c.codes, tensors, tensorCount: tables.length };
  const operators = attempt(sink, place, () => table.tables(slots.subgraph.operators)) ?? [];
  const nodes = operators.map((t, i) => attempt(sink, [...place, `op ${i}`], () => readOperator(context, t, i)));
  const ports = (slot: number, what: string): readonly TensorId[] => {
    const refs = attempt(sink, [...place, what], () => tensorRefs(table.int32s(slot), context, [...place, what])) ?? [];
    return refs.filter((id) => id !== null).filter((id) => tensors.has(id));
  };
  const inputs = ports(slots.subgraph.inputs, "inputs");
  const outputs = ports(slots.subgraph.outputs, "outputs");
  const complete = nodes.filter((n): n is Node => n !== null);
  return {
    graph: { name: name === "" ? `subgraph${index}` : name, tensors, nodes: complete, inputs, outputs, variables: [] },
    open,
  };
}

function checkReferences(model: { graphs: readonly Graph[]; file: string }, sink: DiagnosticSink): void {
  for (const graph of model.graphs) {
    for (const node of graph.nodes) {
      if (node.op !== "CALL_ONCE") continue;
      const target = node.attrs.subgraph;
      if (target > 0 && target < model.graphs.length) continue;
      sink.report("TH1003", {
        where: [model.file, `op ${node.origin.index} CALL_ONCE`],
        found: `subgraph ${target}`,
        expected: `1 to ${model.graphs.length - 1}`,
        fix: "convert the model again",
      });
    }
  }
}

function readModel(source: Source, file: string, sink: DiagnosticSink): readonly Graph[] {
  const root = rootTable(source);
  const version = root.uint32(slots.model.version);
  if (version !== schemaVersion)
    sink.report("TH1004", {
      where: [file],
      found: String(version),
      expected: String(schemaVersion),
      fix: "convert the model with TensorFlow 2",
    });
  const codes = root.tables(slots.model.operatorCodes).map(
    (t, i) =>
      attempt(sink, [file, `operator code ${i}`], () => readOperatorCode(t)) ?? {
        name: "?",
        version: 1,
        spec: undefined,
      },
  );
  const buffers = root
    .tables(slots.model.buffers)
    .map((t, i) => attempt(sink, [file, `buffer ${i}`], () => readBuffer(source, t)));
  const context: FileContext = { sink, file, codes, buffers };
  const read = root.tables(slots.model.subgraphs).flatMap((t, i) => readSubgraph(context, t, i) ?? []);
  const variables = new Map<string, Variable>();
  const resolved = read.map((r) => ({ ...r, graph: resolveVariables(r.graph, variables) }));
  // Problems of structure make those of meaning unreliable; the latter are looked for only in a sound file.
  if (sink.hasErrors) return [];
  const graphs = resolved.map((r, i) => checkGraph(r.graph, sink, i === 0 ? [file] : [file, `subgraph ${i}`], r.open));
  checkReferences({ graphs, file }, sink);
  const [main] = graphs;
  if (!main || main.nodes.length === 0 || main.outputs.length === 0) {
    sink.report("TH1011", { where: [file], fix: "export the model with at least one operator and one output" });
  }
  return graphs.map((g) => ({ ...g, variables: [...variables.values()] }));
}

/**
 * Reads a TensorFlow Lite model (schema version 3). Every problem found is reported at once: a DiagnosticError with
 * all of them, each naming operator and tensor, or a model that is sound.
 * @param name what the model is called in output; @param file how diagnostics name the file
 */
export function importTflite(bytes: Uint8Array, name: string, file = `${name}.tflite`): Model {
  const sink = new DiagnosticSink();
  const identifier = new TextDecoder("latin1").decode(bytes.subarray(4, 8));
  if (identifier !== fileIdentifier) {
    const found = bytes.length < 8 ? `${bytes.length} bytes` : `file identifier ${JSON.stringify(identifier)}`;
    throw new DiagnosticError([
      diagnostic("TH1001", {
        where: [file],
        found,
        expected: `"${fileIdentifier}" at byte 4`,
        fix: "give a .tflite file (a SavedModel or .h5 has to be converted first)",
      }),
    ]);
  }
  const graphs = attempt(sink, [file], () => readModel(sourceOf(bytes), file, sink)) ?? [];
  sink.throwIfErrors();
  const [main, ...subgraphs] = graphs;
  if (main === undefined)
    throw new DiagnosticError([diagnostic("TH1011", { where: [file], fix: "export the model again" })]);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, sha256, format: "tflite", fileBytes: bytes.length, main: { ...main, name }, subgraphs };
}
