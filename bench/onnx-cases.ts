/** ONNX's own test cases: a model, inputs, and the outputs that they must give. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { type Diagnostic, DiagnosticError, DiagnosticSink } from "../src/base/diagnostics.js";
import type { TensorData } from "../src/base/dtype.js";
import { importOnnx } from "../src/formats/onnx/import/import.js";
import { findOnnxOperator } from "../src/formats/onnx/import/table.js";
import { decodeModel, type NodeProto, type OnnxTensor, readTensor } from "../src/formats/onnx/proto.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Graph, Model } from "../src/ops/index.js";
import { createSession } from "../src/run/interpreter.js";

/** Debian's libonnx-testdata, unless the environment says otherwise. */
export const onnxFolder = process.env["THIMBLE_ONNX_TESTDATA"] ?? "/usr/share/libonnx-testdata/data";

/** Why the cases are not there, or null. */
export const onnxMissing = (): string | null =>
  existsSync(join(onnxFolder, "node")) ? null : `no ${onnxFolder}/node: apt-get install libonnx-testdata`;

/** Folders of the cases of a kind that have a model and data. */
export const casesOf = (kind: string): readonly string[] =>
  readdirSync(join(onnxFolder, kind))
    .map((name) => join(onnxFolder, kind, name))
    .filter((folder) => existsSync(join(folder, "model.onnx")) && existsSync(join(folder, "test_data_set_0")))
    .sort();

/** "form": the operator is read, but not with these options or constants. */
export type Verdict =
  | {
      readonly kind: "passed";
      readonly model: Model;
      readonly inputs: readonly TensorData[];
      readonly outputs: readonly TensorData[];
    }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "operator" | "type" | "form"; readonly why: string };

function tensorsIn(folder: string, kind: "input" | "output"): readonly OnnxTensor[] {
  const data = join(folder, "test_data_set_0");
  const files = readdirSync(data).filter((f) => f.startsWith(`${kind}_`));
  return files.map((_, i) => {
    const proto = onnxProto.onnx.TensorProto.decode(readFileSync(join(data, `${kind}_${i}.pb`)));
    const sink = new DiagnosticSink();
    const tensor = readTensor(proto, () => null, [`${kind} ${i}`], sink);
    sink.throwIfErrors();
    if (tensor === null) throw new DiagnosticError(sink.all);
    return tensor;
  });
}

/** Names of tensors that diagnostics say must be constants. */
const wantedConstants = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics
    .filter((d) => d.code === "TH2008")
    .flatMap((d) =>
      [...d.where.join(" ").matchAll(/tensor \d+ ("(?:[^"\\]|\\.)*")/g)].map((m) => JSON.parse(m[1] ?? '""') as string),
    );

/** Imports with those inputs fixed that an operator needs as constants: weights, sizes, axes. */
function importFixed(bytes: Uint8Array, name: string, inputs: ReadonlyMap<string, OnnxTensor>): Model {
  const constants: Record<string, ArrayLike<number>> = {};
  const shapes = Object.fromEntries([...inputs].map(([key, t]) => [key, t.shape]));
  for (let round = 0; ; round++) {
    try {
      return importOnnx(bytes, name, { constants, shapes });
    } catch (error) {
      if (!(error instanceof DiagnosticError) || round > 8) throw error;
      const wanted = wantedConstants(error.diagnostics).filter((n) => inputs.has(n) && !(n in constants));
      if (wanted.length === 0) throw error;
      for (const n of wanted) constants[n] = Array.from((inputs.get(n) as OnnxTensor).data as ArrayLike<number>);
    }
  }
}

const kindOf = (d: Diagnostic | undefined): "operator" | "type" | "form" =>
  d?.code === "TH2001" ? "operator" : d?.code === "TH1006" || d?.code === "TH2004" ? "type" : "form";

/** The tolerance of ONNX's own runner: 1e-7 and a thousandth of what is expected; integers are equal. */
function difference(found: TensorData, expected: OnnxTensor): string | null {
  if (found.length !== expected.data.length) return `${found.length} elements, expected ${expected.data.length}`;
  for (let i = 0; i < found.length; i++) {
    const [a, e] = [Number(found[i]), Number(expected.data[i])];
    const same = Object.is(a, e) || a === e || (Number.isNaN(a) && Number.isNaN(e));
    const slack = expected.dtype === "float32" ? 1e-7 + 1e-3 * Math.abs(e) : 0;
    if (!same && !(Math.abs(a - e) <= slack)) return `element ${i} is ${a}, expected ${e}`;
  }
  return null;
}

const asItIs = (model: Model): Model => model;

/** Runs one case on the interpreter, after a change to the model that leaves its results alone. */
export function runCase(folder: string, prepare: (model: Model) => Model = asItIs): Verdict {
  const bytes = readFileSync(join(folder, "model.onnx"));
  const name = folder.split("/").pop() ?? "";
  try {
    const proto = decodeModel(bytes, name);
    const initializers = new Set((proto.graph?.initializer ?? []).map((t) => t.name));
    const names = (proto.graph?.input ?? []).map((i) => i.name ?? "").filter((n) => !initializers.has(n));
    const unknown = (proto.graph?.node ?? []).find((n) => findOnnxOperator(domainOf(n), n.opType ?? "") === undefined);
    if (unknown !== undefined) return { kind: "operator", why: unknown.opType ?? "" };
    const other = [...(proto.graph?.input ?? []), ...(proto.graph?.output ?? [])].find((i) => !i.type?.tensorType);
    if (other !== undefined) return { kind: "type", why: `${other.name} is a sequence or optional` };
    const given = tensorsIn(folder, "input");
    const inputs = new Map(given.map((t, i) => [names[i] ?? "", t]));
    const expected = tensorsIn(folder, "output");
    const imported = importFixed(bytes, name, inputs);
    const model = prepare(imported);
    const fed = inputsFor(imported.main, model.main, inputs);
    const outputs = createSession(model).invoke(fed);
    const wrong = outputs.map((data, i) => {
      const want = expected[i] as OnnxTensor;
      const shape = tensorOf(model.main, model.main.outputs[i] as never).shape;
      const plain =
        shape.join() === want.shape.join() ? difference(data, want) : `shape [${shape}], expected [${want.shape}]`;
      const isImage = plain !== null && want.shape.length === 4 && data.length === want.data.length;
      return isImage && prepare !== asItIs ? difference(reordered(data, want.shape, "first"), want) : plain;
    });
    const why = wrong.find((w) => w !== null);
    return why ? { kind: "failed", why } : { kind: "passed", model, inputs: fed, outputs };
  } catch (error) {
    if (!(error instanceof DiagnosticError))
      return { kind: "failed", why: error instanceof Error ? (error.stack ?? "").slice(0, 400) : String(error) };
    const [first] = error.diagnostics;
    return {
      kind: kindOf(first),
      why: `${first?.code} ${first?.message}: ${first?.found ?? ""} (${first?.where.slice(1).join(" > ")})`,
    };
  }
}

const domainOf = (n: NodeProto): string => (n.domain === "ai.onnx" ? "" : (n.domain ?? ""));

/** Data of [batch, channels, ...] as [batch, ..., channels], or back. */
export function reordered(data: TensorData, shape: readonly number[], to: "last" | "first"): TensorData {
  const channels = shape[1] ?? 1;
  const batch = shape[0] ?? 1;
  const places = data.length / Math.max(batch * channels, 1);
  const out = data.slice();
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < places; i++) {
        const [first, last] = [(n * channels + c) * places + i, (n * places + i) * channels + c];
        out[to === "last" ? last : first] = data[to === "last" ? first : last] as never;
      }
    }
  }
  return out;
}

/** Data in the order and the types of the model's inputs; those that became constants are left out. */
const inputsFor = (before: Graph, graph: Graph, given: ReadonlyMap<string, OnnxTensor>): readonly TensorData[] =>
  graph.inputs.map((id, i) => {
    const tensor = given.get(tensorOf(graph, id).name);
    if (tensor === undefined) throw new Error(`no data for input ${tensorOf(graph, id).name}`);
    // An input that lies in another order is another tensor.
    return before.inputs[i] === id ? tensor.data : reordered(tensor.data, tensor.shape, "last");
  });

/** Operators of a case's model. */
export function operatorsOf(folder: string): readonly string[] {
  const proto = decodeModel(readFileSync(join(folder, "model.onnx")), folder);
  return [...new Set((proto.graph?.node ?? []).map((n) => n.opType ?? ""))];
}
