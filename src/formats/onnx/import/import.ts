import { createHash } from "node:crypto";
import { DiagnosticSink } from "../../../base/diagnostics.js";
import type { TensorId } from "../../../base/units.js";
import type { Tensor } from "../../../ir/graph.js";
import { checkGraph } from "../../../ops/check-graph.js";
import type { Graph, Model } from "../../../ops/index.js";
import { decodeModel, type ExternalFiles, type GraphProto, type Integer, integer } from "../proto.js";
import { GraphBuilder, Refused } from "./builder.js";
import type { Value } from "./context.js";
import { readInput } from "./inputs.js";
import { constantOf, type Import, makeNodes, plain, quoted } from "./nodes.js";
import { plainOf } from "./quantization.js";
import { scopeOf } from "./scope.js";
import { newestOpset } from "./table.js";

/** How to read a model whose file leaves something open. */
export interface OnnxOptions {
  /** How diagnostics name the file. */
  readonly file?: string;
  /** Sizes of inputs by name, where the file does not state them. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Inputs that are always the same become constants: their elements by name. */
  readonly constants?: Readonly<Record<string, ArrayLike<number>>>;
  /** Reads data that lies beside the model; none unless given. */
  readonly external?: ExternalFiles;
}

/** The tensors that the model gives out: computed, each one once. */
function outputTensors(b: GraphBuilder, values: readonly Value[], inputs: readonly Tensor[]): readonly Tensor[] {
  const taken = new Set<TensorId>(inputs.map((t) => t.id));
  return values.map((value) => {
    const tensor = plainOf(b, value);
    const output = taken.has(tensor.id)
      ? b.emit("RESHAPE", [tensor], { shape: tensor.shape.length === 0 ? [0] : tensor.shape }, { quant: tensor.quant })
      : tensor;
    taken.add(output.id);
    return output;
  });
}

/** Versions of the operator sets, after reporting those that are too new. */
function opsetsOf(
  c: { readonly sink: DiagnosticSink; readonly file: string },
  sets: readonly { domain?: string | null; version?: unknown }[],
) {
  const opsets = new Map(
    sets.map((s) => [s.domain === "ai.onnx" ? "" : (s.domain ?? ""), integer(s.version as Integer)]),
  );
  const own = opsets.get("");
  if (own !== undefined && own > newestOpset)
    c.sink.report("TH1014", {
      where: [c.file],
      found: `operator set ${own}`,
      expected: `at most ${newestOpset}`,
      fix: `export the model with opset_version=${newestOpset}`,
    });
  return opsets;
}

function importGraph(c: Import, graph: GraphProto, options: OnnxOptions): Graph {
  const { b, sink } = c;
  const scope = scopeOf(graph, null);
  for (const proto of graph.initializer ?? []) {
    const name = proto.name ?? "";
    const tensor = constantOf(c, proto, [c.file, `initializer ${quoted(name)}`]);
    scope.values.set(name, tensor && plain(tensor));
  }
  const inputs: Tensor[] = [];
  for (const info of graph.input ?? []) {
    const name = info.name ?? "";
    if (scope.values.has(name)) continue;
    const tensor = readInput(b, info, [c.file, `input ${quoted(name)}`], options);
    scope.values.set(name, tensor && plain(tensor));
    if (tensor && tensor.data === null) inputs.push(tensor);
  }
  const values = makeNodes(c, graph, scope);
  b.where = [c.file];
  const outputs = sink.hasErrors ? [] : outputTensors(b, values, inputs);
  if (outputs.length === 0 && !sink.hasErrors)
    sink.report("TH1011", { where: [c.file], fix: "export the model with at least one output" });
  sink.throwIfErrors();
  return {
    name: graph.name ?? "",
    tensors: b.tensors,
    nodes: b.nodes,
    inputs: inputs.map((t) => t.id),
    outputs: outputs.map((t) => t.id),
    variables: [],
  };
}

/**
 * Reads an ONNX model (operator sets 1 to {@link newestOpset}, weights inside the file or beside it). Float models stay
 * float; where QuantizeLinear and DequantizeLinear stand around operators, these become integer operators. Images keep the
 * order of axes that the file has, with TRANSPOSE around channels-last operators: `channelsLast` of passes/ moves them away.
 * Dimensions that the file leaves open are 1 if they are a batch, else `options.shapes` must say them. 64-bit integers
 * become int32, float16 and float64 float32. Throws a DiagnosticError with all problems, each naming its node.
 * @param name what the model is called in output
 */
export function importOnnx(bytes: Uint8Array, name: string, options: OnnxOptions = {}): Model {
  const file = options.file ?? `${name}.onnx`;
  const sink = new DiagnosticSink();
  const proto = decodeModel(bytes, file);
  const b = new GraphBuilder(sink);
  const c: Import = {
    b,
    sink,
    file,
    external: options.external ?? (() => null),
    opsets: opsetsOf({ sink, file }, proto.opsetImport ?? []),
    saturated: new Set(),
    steps: 0,
  };
  sink.throwIfErrors();
  try {
    b.where = [file];
    const graph = importGraph(c, proto.graph ?? {}, options);
    const main = checkGraph(graph, sink, [file]);
    sink.throwIfErrors();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { name, sha256, format: "onnx", fileBytes: bytes.length, main: { ...main, name }, subgraphs: [] };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sink.throwIfErrors();
    throw error;
  }
}
