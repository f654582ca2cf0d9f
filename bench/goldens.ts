import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { present } from "../src/base/assert.js";
import { packageRoot } from "../src/base/assets.js";
import type { DType, TensorData } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { importTflite } from "../src/formats/tflite/import.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Model } from "../src/ops/index.js";

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

/** The models that have outputs to match. */
export const sharedModels = (): readonly string[] => Object.keys(goldenOutputs());

/** Operator outputs of TFLM: model -> run -> operator. */
export const goldenOps = (): Readonly<Record<string, readonly (readonly OpGolden[])[]>> => readJson("golden-ops.json");

/** Reads a model of the folder by its path without extension. */
export function loadModel(name: string): Model {
  const short = name.split("/").pop() ?? name;
  return importTflite(readFileSync(join(modelsFolder, `${name}.tflite`)), short);
}

/** A 16x8 layer test: its model, inputs and expected output. */
export interface LayerCase {
  readonly name: string;
  readonly model: Model;
  readonly inputs: readonly TensorData[];
  readonly expected: TensorData;
}

/** Numbers of `<stem>_int16.csv` or `<stem>_int32.csv`, whichever type the tensor has. */
function readCsv(stem: string, dtype: DType): TensorData {
  const values = readFileSync(`${stem}_${dtype}.csv`, "utf8")
    .split(",")
    .filter((s) => s.trim() !== "")
    .map(Number);
  return dtype === "int16" ? Int16Array.from(values) : Int32Array.from(values);
}

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
        const dtype = (id: TensorId): DType => tensorOf(model.main, id).dtype;
        const inputs = model.main.inputs.map((id, i) => readCsv(join(root, op, `${name}_input${i}`), dtype(id)));
        const output = present(model.main.outputs[0], "output");
        return { name, model, inputs, expected: readCsv(join(root, op, `${name}_golden`), dtype(output)) };
      }),
  );
}
