import { rangeOf, type TensorData } from "../base/dtype.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { attachFrontend } from "../frontends/frontend.js";
import { checkRecipe, type Recipe } from "../frontends/recipe.js";
import type { Model } from "../ops/index.js";
import { dropFloatEdges } from "../passes/edges.js";
import { runPipeline } from "../passes/pipeline.js";
import { type Score, scoreOf } from "./examples.js";
import { predictOnHost } from "./predict.js";

/** An integer network behind its front-end: its input is the signal as the device has it. */
export function withFrontend(model: Model, recipe: Recipe, dataset: Pick<Dataset, "shape">): Model {
  const network = dropFloatEdges.run(runPipeline(model), { subgraphs: model.subgraphs });
  return { ...model, format: "memory", main: attachFrontend(recipe, dataset.shape ?? [], network), subgraphs: [] };
}

/** A signal of a file as the device has it: uint8 pixels, int16 samples, int16 parts of a sensor's full scale. */
function signalOf(data: ArrayLike<number>, recipe: Recipe): TensorData {
  const checked = checkRecipe(recipe);
  if (data instanceof Uint8Array || data instanceof Int16Array) return data;
  const full = checked.kind === "imu-features" ? checked.fullScale : [32768];
  const { min, max } = rangeOf("int16");
  return Int16Array.from(data, (v, i) =>
    Math.min(max, Math.max(min, Math.round((v * 32768) / (full[i % full.length] as number)))),
  );
}

/** The score of a network with its front-end on the signals of a split, by its generated C. */
export async function scoreSignals(model: Model, dataset: Dataset, split: Split, recipe?: Recipe): Promise<Score> {
  const examples = examplesOf(dataset, split).map((i) => dataset.read(i));
  const outputs = await predictOnHost(
    model,
    examples.map(({ data }) => [recipe ? signalOf(data, recipe) : (data as TensorData)]),
  );
  const labels = Int32Array.from(examples, ({ label }) => (typeof label === "number" ? label : -1));
  const targets = examples.flatMap(({ label }) => (typeof label === "number" ? [] : [label]));
  return scoreOf(
    outputs.map(([y]) => y as Int8Array),
    { inputs: [], labels: targets.length > 0 ? new Int32Array(0) : labels, targets },
  );
}
