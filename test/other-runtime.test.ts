import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exampleModel } from "../bench/example.js";
import { layerCases, modelsFolder, modelsMissing } from "../bench/goldens.js";
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
import { type Difference, difference, portsOf, type Runs, runLiteRt, type Values } from "./litert.js";

/*
 * Thimble's files and operators against LiteRT. Where LiteRT's own kernels run, integers agree to the bit; where its
 * XNNPACK kernels take over, they requantize in float, and values near the middle between two steps may go the other
 * way. What TensorFlow Lite Micro computes, which is the contract, is tested by the reference outputs of the models.
 */

/** Float kernels add in other orders and approximate exponentials: 2e-6 of the largest output is some 16 roundings. */
const floatStep = (tensor: Tensor, largest: number): number => (tensor.dtype === "float32" ? 2e-6 * largest : 1);

type Network = Pick<Model, "main" | "subgraphs">;

/** TFLite computes a shape given at run time anew, and LiteRT's interface has no outputs of such shapes. */
function withConstantShape(network: Network, runs: Runs): { readonly network: Network; readonly runs: Runs } {
  const { main } = network;
  const at = main.inputs.findIndex((id) => main.nodes.some((n) => n.op === "TRANSPOSE_CONV" && n.inputs[0] === id));
  const id = main.inputs[at];
  if (id === undefined) return { network, runs };
  const data = Int32Array.from(portsOf(main, "outputs")[0]?.shape ?? []);
  const tensors = new Map(main.tensors).set(id, { ...tensorOf(main, id), data });
  const without = <T>(list: readonly T[]): readonly T[] => list.filter((_, i) => i !== at);
  return { network: { ...network, main: { ...main, tensors, inputs: without(main.inputs) } }, runs: runs.map(without) };
}

/** Our interpreter and LiteRT on the same graph, written by us; or LiteRT's complaint if it will not run it. */
async function compareNetwork(given: Network, givenRuns: Runs, stepOf = floatStep): Promise<Difference | string> {
  const { network, runs } = withConstantShape(given, givenRuns);
  const session = createSession(network);
  const want = runs.flatMap((inputs) => session.invoke(inputs));
  const outcome = await runLiteRt(exportTflite(network), network.main, runs);
  if (outcome.kind === "refused") return outcome.why;
  const tensors = runs.flatMap(() => portsOf(network.main, "outputs"));
  return difference(tensors, want, outcome.outputs.flat(), stepOf);
}

/** Samples that LiteRT will not run, what it says, and why that is no fault of the file. `*` is all of an operator. */
const refused: readonly (readonly [op: OpName, sample: string, says: string, why: string])[] = [
  ["ARG_MAX", "int16", "Unknown input type: 7", "TFLite has no 16-bit ARG_MAX"],
  ["ARG_MIN", "int16", "Unknown input type: 7", "TFLite has no 16-bit ARG_MIN"],
  ["BROADCAST_TO", "*", "Didn't find op", "its versions begin with 2, samples have none"],
  ["CEIL", "int8, zero points 0 and -5", "INT8 != FLOAT32", "TFLite has no 8-bit CEIL"],
  ["CONV_2D", "per-tensor, no bias", "has_bias was not true", "TFLite wants a bias of integer convolutions"],
  ["COS", "int8, zero points 0 and -5", "INT8 is unsupported", "TFLite has no 8-bit COS"],
  ["DEPTH_TO_SPACE", "2 by 2, one image", "data_type == kTfLiteFloat32", "TFLite has no 16-bit DEPTH_TO_SPACE"],
  ["DEPTHWISE_CONV_2D", "16x8, int32 bias", "(INT32 != INT64)", "TFLite has no 32-bit bias here"],
  ["DEQUANTIZE", "float16 constant", "XNNPACK", "XNNPACK fails on a network of constants only; tested below"],
  ["FLOOR", "int8, zero points 0 and -5", "kTfLiteFloat32", "TFLite has no 8-bit FLOOR"],
  ["RELU_N1_TO_1", "int16, zero points 0 and 0", "got INT16", "TFLite has no 16-bit RELU_N1_TO_1"],
  ["ROUND", "int8, zero points 0 and -5", "not supported by round", "TFLite has no 8-bit ROUND"],
  ["SIN", "int8, zero points 0 and -5", "INT8 is unsupported", "TFLite has no 8-bit SIN"],
  ["SPACE_TO_DEPTH", "2 by 2, one image", "data_type == kTfLiteFloat32", "TFLite has no 16-bit SPACE_TO_DEPTH"],
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
  ["ADD", "int8, an image and a value for each channel", 1, "XNNPACK"],
  ["SUB", "int8, channels broadcast", 1, "XNNPACK"],
  ["SUB", "int8, an image and a value for each channel", 1, "XNNPACK"],
  ["LEAKY_RELU", "int8", 1, "XNNPACK"],
  ["MEAN", "int8, an image's rows", 1, "XNNPACK rounds once, TFLM's multiplier and shift each round"],
  ["MEAN", "int8, within an image's rows", 1, "as the entry above"],
  ["RESIZE_BILINEAR", "int8", 1, "XNNPACK"],
  ["LOGISTIC", "int16", 6, "scale 1/4096: gemmlowp's polynomial, where TFLM has the table only"],
  ["TANH", "int16", 10, "as LOGISTIC"],
];

/** Inputs as TFLite accepts them, where it refuses some of the sample's random ones. */
const accepted: Partial<Record<OpName, (inputs: Values, graph: Graph) => Values>> = {
  SQRT: (inputs, graph) => inputs.map((data) => notNegative(data, graph, 0)),
  RSQRT: (inputs, graph) => inputs.map((data) => notNegative(data, graph, 1)),
  GATHER: (inputs, graph) =>
    inputs.map((data, i) => {
      const isIndices = portsOf(graph, "inputs")[i]?.dtype === "int32";
      return isIndices ? Int32Array.from(data as Int32Array, (index) => Math.abs(index) % 6) : data;
    }),
};

/** 8-bit inputs raised to `least` steps above zero. */
function notNegative(data: TensorData, graph: Graph, least: number): TensorData {
  const zero = portsOf(graph, "inputs")[0]?.quant?.zeroPoints[0] ?? 0;
  return data instanceof Int8Array ? data.map((q) => Math.max(q, zero + least)) : data;
}

/** TFLite's form has no explicit padding; a variable's first contents are set by a subgraph that a sample has not. */
const comparable = (s: Sample<object>): boolean =>
  !Array.isArray((s.attrs as { padding?: unknown }).padding) && s.inputs.every((t) => !t?.resource);

const entry = <T extends readonly [OpName, string, ...unknown[]]>(table: readonly T[], op: string, sample: string) =>
  table.find(([name, start]) => name === op && (start === "*" || sample.startsWith(start)));

/** What is wrong with a sample, or null. */
async function judge(op: OpName, sample: string, { graph, inputs }: SampleCase): Promise<string | null> {
  const data = accepted[op]?.(inputs, graph) ?? inputs;
  const found = await compareNetwork({ main: graph, subgraphs: [] }, [data, data]);
  const says = entry(refused, op, sample)?.[2];
  if (typeof found === "string") return says !== undefined && found.includes(says) ? null : `LiteRT says: ${found}`;
  if (says !== undefined) return "LiteRT runs it now: take it off the list of refusals";
  if (entry(different, op, sample))
    return found.differing > 0 ? null : "it agrees: take it off the list of differences";
  const isFloat = portsOf(graph, "outputs").some((t) => t.dtype === "float32");
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
    const found = await compareNetwork(importText(text, "float16"), [[Float32Array.of(1, 2, 3, 4, 5, 6)]]);
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
async function compareNodes(
  model: Model,
  inputs: Values,
): Promise<readonly (readonly [OpName, Difference | string])[]> {
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
    found.push([node.op, await compareNetwork({ main: graph, subgraphs: [] }, [data])]);
  }
  return found;
}

/** What is expected of a whole network. */
interface Expected {
  /** Steps in the last layer that whole networks may come to differ by, and elements that do, in two runs. */
  readonly worst: number;
  readonly differing: number;
  readonly original: "ran" | "refused";
}

/** Rounding differences add up from layer to layer, so whole networks end further apart than single operators. */
const networks: Readonly<Record<string, Expected | "refused">> = {
  example: { worst: 5, differing: 5, original: "ran" },
  ad01: { worst: 3, differing: 583, original: "ran" },
  hello_world: { worst: 0, differing: 0, original: "ran" },
  kws: { worst: 2, differing: 2, original: "ran" },
  mcunet_vww1: { worst: 1, differing: 1, original: "ran" },
  micro_speech: { worst: 0, differing: 0, original: "ran" },
  // Its LSTM has variable tensors.
  mnist_lstm: "refused",
  // LiteRT refuses the channel axis of its biases; the importer mends it.
  person_detect: { worst: 0, differing: 0, original: "refused" },
  resnet: { worst: 6, differing: 2, original: "ran" },
  strww: { worst: 0, differing: 0, original: "ran" },
  vww96: { worst: 0, differing: 0, original: "ran" },
};

const readModel = (name: string): Uint8Array =>
  name === "example" ? exampleModel() : new Uint8Array(readFileSync(join(modelsFolder, `${name}.tflite`)));

/** A float output that a DEQUANTIZE writes moves in that node's steps. */
const networkStep =
  (graph: Graph) =>
  (tensor: Tensor, largest: number): number => {
    const from = graph.nodes.find((n) => n.op === "DEQUANTIZE" && n.outputs[0] === tensor.id)?.inputs[0];
    const scale = typeof from === "number" ? tensorOf(graph, from).quant?.scales[0] : undefined;
    return scale ?? floatStep(tensor, largest);
  };

const missing = modelsMissing();
const testable = Object.entries(networks).filter(([name]) => name === "example" || missing === null);

describe(`networks, in another TFLite runtime${missing === null ? "" : ` (only the example: ${missing})`}`, () => {
  for (const [name, expected] of testable) {
    it(`${name}: a written file opens and gives the same result`, async () => {
      const file = readModel(name);
      const model = importTflite(file, name);
      const runs = [0, 1].map((run) => testInputs(model.main, run));
      const original = await runLiteRt(file, model.main, runs);
      const written = await runLiteRt(exportTflite(model), model.main, runs);
      if (expected === "refused") {
        expect([original.kind, written.kind]).toEqual(["refused", "refused"]);
        return;
      }
      expect(original.kind).toBe(expected.original);
      if (expected.original === "ran") expect(written).toEqual(original);
      const found = await compareNetwork(model, runs, networkStep(model.main));
      if (typeof found === "string") throw new Error(found);
      expect(found.worst).toBeLessThan(expected.worst + 0.01);
      expect(found.differing).toBeLessThanOrEqual(expected.differing);
    });

    it(`${name}: every operator, on the values it has in the network, is within one step`, async () => {
      const model = importTflite(readModel(name), name);
      const found = await compareNodes(model, testInputs(model.main, 0));
      expect(found.length).toBeGreaterThan(2);
      const wrong = found.filter(([, d]) => typeof d === "string" || d.worst > 1);
      expect(wrong).toEqual([]);
      const sum = (of: "elements" | "differing"): number =>
        found.reduce((total, [, d]) => total + (typeof d === "string" ? 0 : d[of]), 0);
      expect(sum("differing") / sum("elements")).toBeLessThan(0.01);
    });
  }

  it.skipIf(missing !== null)("16x8 layers agree to the bit", async () => {
    const wrong: string[] = [];
    for (const { name, model, inputs } of layerCases()) {
      const found = await compareNetwork(model, [inputs]);
      if (typeof found === "string") wrong.push(`${name}: ${found}`);
      else if (found.differing > 0) wrong.push(`${name}: ${found.differing} of ${found.elements} differ`);
    }
    expect(wrong).toEqual([]);
  });
});
