import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { packageRoot } from "../src/base/assets.js";
import { bytesOf, elementsOf, fromBytes, type TensorData } from "../src/base/dtype.js";
import { testBytes } from "../src/base/random.js";
import { tensorOf } from "../src/ir/graph.js";
import { importTflite } from "../src/formats/tflite/import.js";
import type { Graph, Model } from "../src/ops/index.js";

/** Where the models with reference outputs are: THIMBLE_MODELS, or `../shared/models` beside the checkout. */
export const modelsFolder = resolve(process.env["THIMBLE_MODELS"] ?? join(packageRoot, "../shared/models"));

/** Says why tests that need the models skip, or null if they are there. */
export const modelsMissing = (): string | null =>
  existsSync(join(modelsFolder, "golden.json")) ? null : `no models in ${modelsFolder}: set THIMBLE_MODELS`;

/** [operator, bytes, FNV-1a 32 hash] of each operator's output, in execution order. */
export type OpGolden = readonly [op: string, bytes: number, hash: string];

const readJson = <T>(name: string): Readonly<Record<string, T>> =>
  (JSON.parse(readFileSync(join(modelsFolder, name), "utf8")) as { models: Record<string, T> }).models;

/** Outputs of TFLM: model -> run -> output tensor, as hexadecimal bytes. */
export const goldenOutputs = (): Readonly<Record<string, readonly (readonly string[])[]>> => readJson("golden.json");

/** Operator outputs of TFLM: model -> run -> operator. */
export const goldenOps = (): Readonly<Record<string, readonly (readonly OpGolden[])[]>> => readJson("golden-ops.json");

/** Reads a model of the folder by its path without extension. */
export function loadModel(name: string): Model {
  const short = name.split("/").pop() ?? name;
  return importTflite(readFileSync(join(modelsFolder, `${name}.tflite`)), short);
}

/** The generator's inputs for a run, as golden.json describes them. */
export function goldenInputs(graph: Graph, run: number): readonly TensorData[] {
  const tensors = graph.inputs.map((id) => tensorOf(graph, id));
  const isFloat = (dtype: string): boolean => dtype === "float32";
  const sizes = tensors.map((t) => (isFloat(t.dtype) ? elementsOf(t.shape) : bytesOf(t.dtype, elementsOf(t.shape))));
  const stream = testBytes(run, sizes.reduce((sum, n) => sum + n, 0));
  let at = 0;
  return tensors.map((tensor, i) => {
    const bytes = stream.subarray(at, at + (sizes[i] ?? 0));
    at += bytes.length;
    if (!isFloat(tensor.dtype)) return fromBytes(tensor.dtype, bytes, elementsOf(tensor.shape));
    const quantize = graph.nodes.find((n) => n.inputs[0] === tensor.id && n.op === "QUANTIZE");
    const quant = quantize ? tensorOf(graph, quantize.outputs[0] as never).quant : null;
    const scale = Math.fround(quant?.scales[0] ?? 1 / 128);
    const zero = quant?.zeroPoints[0] ?? 0;
    return Float32Array.from(bytes, (b) => Math.fround(Math.fround(((b << 24) >> 24) - zero) * scale));
  });
}

/** A 16x8 layer test: its model, inputs and expected output. */
export interface LayerCase {
  readonly name: string;
  readonly model: Model;
  readonly inputs: readonly TensorData[];
  readonly expected: Int16Array;
}

const readCsv = (path: string): Int16Array => Int16Array.from(readFileSync(path, "utf8").split(",").filter((s) => s.trim() !== ""), Number);

/** The 16x8 layer tests of `seanet/`. */
export function layerCases(): readonly LayerCase[] {
  const root = join(modelsFolder, "seanet");
  return readdirSync(root).flatMap((op) =>
    readdirSync(join(root, op))
      .filter((f) => f.endsWith(".tflite"))
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .map((file): LayerCase => {
        const name = file.replace(".tflite", "");
        const model = loadModel(`seanet/${op}/${name}`);
        const inputs = model.main.inputs.map((_, i) => readCsv(join(root, op, `${name}_input${i}_int16.csv`)));
        return { name, model, inputs, expected: readCsv(join(root, op, `${name}_golden_int16.csv`)) };
      }),
  );
}
