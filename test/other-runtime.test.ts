import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exampleModel } from "../bench/example.js";
import { type LayerCase, layerCases, modelsFolder, modelsMissing } from "../bench/goldens.js";
import type { TensorData } from "../src/base/dtype.js";
import { importText } from "../src/formats/text.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { importTflite } from "../src/formats/tflite/import.js";
import { type Tensor, tensorOf } from "../src/ir/graph.js";
import { type Graph, type Model, type Node, type OpName, operators } from "../src/ops/index.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import type { Sample } from "../src/ops/spec.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { type Outcome, runLiteRt } from "./litert.js";

/**
 * Thimble's files and operators against LiteRT. Where LiteRT's own kernels run, integers agree to the bit; where its
 * XNNPACK kernels take over, they requantize in float and so round some ties and near-ties the other way.
 */

type Outputs = readonly TensorData[];
type Runs = readonly Outputs[];

/** How two results differ. */
interface Difference {
  readonly elements: number;
  readonly differing: number;
  /** The largest, in quantized steps; for floats in units of 2e-6 of the largest output. */
  readonly worst: number;
}

/** Float kernels add in other orders and approximate exponentials: 2e-6 of the largest output is some 16 roundings. */
const floatTolerance = 2e-6;

function difference(tensors: readonly Tensor[], want: Outputs, found: Outputs): Difference {
  let [elements, differing, worst] = [0, 0, 0];
  tensors.forEach((tensor, t) => {
    const [a, b] = [want[t] ?? [], found[t] ?? []];
    const largest = Array.from(a, Number).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    const step = tensor.dtype === "float32" ? floatTolerance * largest : 1;
    expect(b.length).toBe(a.length);
    elements += a.length;
    for (let i = 0; i < a.length; i++) {
      if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
      const steps = Math.abs(Number(a[i]) - Number(b[i])) / step;
      differing++;
      // A NaN on one side only is no small difference.
      worst = Number.isNaN(steps) ? Infinity : Math.max(worst, steps);
    }
  });
  return { elements, differing, worst };
}

const tensorsOf = (graph: Graph, ids: Graph["inputs"]): readonly Tensor[] => ids.map((id) => tensorOf(graph, id));

const runFile = (file: Uint8Array, graph: Graph, invocations: Runs): Promise<Outcome> =>
  runLiteRt({ file, inputs: tensorsOf(graph, graph.inputs), outputs: tensorsOf(graph, graph.outputs), invocations });

/** Our interpreter and LiteRT on the same graph, written by us; LiteRT's complaint if it will not run it. */
async function compareGraph(model: Pick<Model, "main" | "subgraphs">, runs: Runs): Promise<Difference | string> {
  const session = createSession(model);
  const want = runs.flatMap((inputs) => session.invoke(inputs));
  const outcome = await runFile(exportTflite(model), model.main, runs);
  if (outcome.kind === "refused") return outcome.why;
  const outputs = tensorsOf(model.main, model.main.outputs);
  return difference(
    runs.flatMap(() => outputs),
    want,
    outcome.outputs.flat(),
  );
}

/** Samples that LiteRT will not run, what it says, and why that is no fault of the file. `*` is all of an operator. */
const refused: readonly (readonly [op: OpName, sample: string, says: string, why: string])[] = [
  ["ARG_MAX", "int16", "Unknown input type: 7", "TFLite has no 16-bit ARG_MAX"],
  ["ARG_MIN", "int16", "Unknown input type: 7", "TFLite has no 16-bit ARG_MIN"],
  ["CONV_2D", "per-tensor, no bias", "has_bias was not true", "TFLite wants a bias of integer convolutions"],
  ["DEPTHWISE_CONV_2D", "16x8, int32 bias", "(INT32 != INT64)", "TFLite has no 32-bit bias here"],
  ["DEQUANTIZE", "float16 constant", "XNNPACK", "XNNPACK fails on a network of constants only; tested below"],
  ["RELU_N1_TO_1", "int16, zero points 0 and 0", "got INT16", "TFLite has no 16-bit RELU_N1_TO_1"],
  ["SQUARED_DIFFERENCE", "int16", "only supports FLOAT32", "TFLite has no 16-bit SQUARED_DIFFERENCE"],
  ["SVDF", "*", "Variable tensors not yet supported", "LiteRT's loader takes no variable tensors"],
  ["TRANSPOSE", "order of 64 bits", "failed to delegate", "TFLite reads the order as 32 bits"],
  ["TRANSPOSE_CONV", "16x8, int16 bias", "bias->type", "TFLM alone has 16-bit biases"],
  ["UNIDIRECTIONAL_SEQUENCE_LSTM", "*", "Variable tensors not yet supported", "as SVDF"],
];

/** Samples whose results differ on purpose. */
const different: readonly (readonly [op: OpName, sample: string, why: string])[] = [
  ["CAST", "float32 to int8, edges", "out of range C++ leaves the result open: TFLite wraps, Thimble saturates"],
  ["NEG", "int8, zero points -128 and 127", "LiteRT negates the integers whatever their zero points"],
];

/** Quantized steps allowed per operator, and for which of its samples; no entry, no step. */
const steps: readonly (readonly [op: OpName, sample: string, steps: number, why: string])[] = [
  ["ADD", "int8, channels broadcast", 1, "XNNPACK"],
  ["SUB", "int8, channels broadcast", 1, "XNNPACK"],
  ["LEAKY_RELU", "int8", 1, "XNNPACK"],
  ["RESIZE_BILINEAR", "int8", 1, "XNNPACK weighs with 11 bits"],
  ["LOGISTIC", "int16", 6, "scale 1/4096: gemmlowp's polynomial, where TFLM has the table only"],
  ["TANH", "int16", 10, "as LOGISTIC"],
];

/** Inputs as TFLite accepts them, where it refuses some of the sample's random ones. */
const accepted: Partial<Record<OpName, (inputs: Outputs, graph: Graph) => Outputs>> = {
  SQRT: ([x], graph) => [atLeastZero(x, graph)],
  RSQRT: ([x], graph) => [atLeastZero(x, graph)],
  GATHER: ([x, indices]) => (indices ? [x as TensorData, indices.map((i: number) => Math.abs(i) % 6)] : [x as TensorData]),
  TRANSPOSE_CONV: (inputs, graph) =>
    inputs.map((data, i) => {
      const isShape = tensorOf(graph, graph.inputs[i] as never).dtype === "int32";
      return isShape ? Int32Array.from(tensorsOf(graph, graph.outputs)[0]?.shape ?? []) : data;
    }),
};

function atLeastZero(data: TensorData | undefined, graph: Graph): TensorData {
  const zero = tensorsOf(graph, graph.inputs)[0]?.quant?.zeroPoints[0] ?? 0;
  return data instanceof Int8Array ? data.map((q) => Math.max(q, zero + 1)) : (data as TensorData);
}

/** TFLite's form has no explicit padding; a variable's first contents are set by a subgraph that a sample has not. */
const comparable = (s: Sample<object>): boolean =>
  !Array.isArray((s.attrs as { padding?: unknown }).padding) && s.inputs.every((t) => !t?.resource);

const entry = <T extends readonly [OpName, string, ...unknown[]]>(table: readonly T[], op: string, sample: string) =>
  table.find(([name, start]) => name === op && (start === "*" || sample.startsWith(start)));

/** What is wrong with a sample, or null. */
async function judge(op: OpName, sample: string, { graph, inputs }: SampleCase): Promise<string | null> {
  const data = accepted[op]?.(inputs, graph) ?? inputs;
  const found = await compareGraph({ main: graph, subgraphs: [] }, [data, data]);
  const says = entry(refused, op, sample)?.[2];
  if (typeof found === "string") return says !== undefined && found.includes(says) ? null : `LiteRT says: ${found}`;
  if (says !== undefined) return "LiteRT runs it now: take it off the list of refusals";
  if (entry(different, op, sample)) return found.differing > 0 ? null : "it agrees: take it off the list of differences";
  const isFloat = tensorsOf(graph, graph.outputs).some((t) => t.dtype === "float32");
  const allowed = isFloat ? 1 : (entry(steps, op, sample)?.[2] ?? 0);
  return found.worst <= allowed ? null : `${found.differing} of ${found.elements} differ, worst ${found.worst}`;
}

describe("samples of every operator, in another TFLite runtime", () => {
  for (const op of operators) {
    const samples = op.samples.filter(comparable);
    if (op.tflite === "none" || samples.length === 0) continue;
    it(`${op.name}`, async () => {
      const wrong: string[] = [];
      for (const sample of samples) {
        const problem = await judge(op.name, sample.name, sampleCase(op, sample));
        if (problem !== null) wrong.push(`${sample.name}: ${problem}`);
      }
      expect(wrong).toEqual([]);
    });
  }

  it("the exceptions are of samples there are", () => {
    const names = operators.flatMap((op) => op.samples.map((s) => [op.name, s.name] as const));
    const known = ([op, start]: readonly [OpName, string, ...unknown[]]): boolean =>
      names.some(([name, sample]) => name === op && (start === "*" || sample.startsWith(start)));
    expect([...refused, ...different, ...steps].filter((e) => !known(e))).toEqual([]);
  });

  it("float16 weights", async () => {
    const text = `graph "float16"
tensor 0 "halves" float16 [6] = "ADwAwP97AQAAgFU1"
tensor 1 "weights" float32 [6]
tensor 2 "x" float32 [6]
tensor 3 "y" float32 [6]
node DEQUANTIZE [0] -> [1] {} origin 0 "DEQUANTIZE"
node MUL [1, 2] -> [3] {"activation":"NONE"} origin 1 "MUL"
inputs [2]
outputs [3]
`;
    const found = await compareGraph(importText(text, "float16"), [[Float32Array.of(1, 2, 3, 4, 5, 6)]]);
    expect(found).toEqual({ elements: 6, differing: 0, worst: 0 });
  });
});

/** A node as a network of its own: what is computed before it becomes the input. Null if it has state. */
function isolate(graph: Graph, node: Node): Graph | null {
  const ids = [...new Set(node.inputs.filter((id) => id !== null))];
  const tensors = [...new Set([...ids, ...node.outputs])].map((id) => tensorOf(graph, id));
  if (node.outputs.length === 0 || tensors.some((t) => t.variable || t.dtype === "resource")) return null;
  const inputs = ids.filter((id) => tensorOf(graph, id).data === null);
  return { ...graph, tensors: new Map(tensors.map((t) => [t.id, t])), nodes: [node], inputs, outputs: node.outputs };
}

/** Each node on the values that it has in our interpreter: [operator, difference or complaint]. */
async function compareNodes(model: Model, inputs: Outputs): Promise<readonly (readonly [OpName, Difference | string])[]> {
  const { main } = model;
  const values = new Map(main.inputs.map((id, i) => [id, inputs[i]]));
  createSession(model).invoke(inputs, (node, outputs) =>
    node.outputs.forEach((id, i) => {
      values.set(id, outputs[i]?.slice());
    }),
  );
  const found: (readonly [OpName, Difference | string])[] = [];
  for (const node of main.nodes) {
    const graph = isolate(main, node);
    if (graph === null) continue;
    const data = graph.inputs.map((id) => values.get(id) as TensorData);
    found.push([node.op, await compareGraph({ main: graph, subgraphs: [] }, [data])]);
  }
  return found;
}

interface Expected {
  /** Steps in the last layer that whole networks may come to differ by, and elements that do, in two runs. */
  readonly worst: number;
  readonly differing: number;
  readonly original: "runs" | "refused";
}

/** Rounding differences add up from layer to layer, so whole networks end further apart than single operators. */
const networks: Readonly<Record<string, Expected | "refused">> = {
  example: { worst: 5, differing: 5, original: "runs" },
  ad01: { worst: 3, differing: 583, original: "runs" },
  hello_world: { worst: 0, differing: 0, original: "runs" },
  kws: { worst: 2, differing: 2, original: "runs" },
  mcunet_vww1: { worst: 1, differing: 1, original: "runs" },
  micro_speech: { worst: 0, differing: 0, original: "runs" },
  // Its LSTM has variable tensors.
  mnist_lstm: "refused",
  // LiteRT refuses the channel axis of its biases; the importer mends it.
  person_detect: { worst: 0, differing: 0, original: "refused" },
  resnet: { worst: 6, differing: 2, original: "runs" },
  strww: { worst: 0, differing: 0, original: "runs" },
  vww96: { worst: 0, differing: 0, original: "runs" },
};

const readModel = (name: string): Uint8Array =>
  name === "example" ? exampleModel() : new Uint8Array(readFileSync(join(modelsFolder, `${name}.tflite`)));

it("tmp", async () => {
  const lines: string[] = [];
  for (const op of operators) {
    if (op.tflite === "none") continue;
    const ok: number[] = [];
    let why = "";
    for (const sample of op.samples.filter(comparable)) {
      const { graph, inputs } = sampleCase(op, sample);
      const data = accepted[op.name]?.(inputs, graph) ?? inputs;
      for (let v = 1; v <= 14; v++) {
        const g = { ...graph, nodes: graph.nodes.map((n) => ({ ...n, origin: { ...n.origin, version: v } }) as Node) };
        const r = await runFile(exportTflite({ main: g, subgraphs: [] }), g, [data]);
        if (r.kind === "ran") ok.push(v); else if (v === 1) { why = r.why; }
      }
      if (ok.length) break;
    }
    lines.push(`${op.name} ours ${op.tflite.maxVersion} litert ${ok.length ? `${Math.min(...ok)}..${Math.max(...ok)}` : why.slice(0, 80)} ${Math.max(...ok) === op.tflite.maxVersion ? "" : "<<<"}`);
  }
  console.log(lines.join("\n"));
});
