import type { TensorData } from "../base/dtype.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { attachFrontend } from "../frontends/frontend.js";
import type { Recipe } from "../frontends/recipe.js";
import { deviceInput } from "../frontends/transform.js";
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

/** The score of a network with its front-end on the signals of a split, by its generated C. */
export async function scoreSignals(model: Model, dataset: Dataset, split: Split, recipe?: Recipe): Promise<Score> {
  const examples = examplesOf(dataset, split).map((i) => dataset.read(i));
  const toSignal = recipe ? deviceInput(recipe, dataset.shape ?? []) : (data: ArrayLike<number>) => data as TensorData;
  const outputs = await predictOnHost(
    model,
    examples.map(({ data }) => [toSignal(data)]),
  );
  const labels = Int32Array.from(examples, ({ label }) => (typeof label === "number" ? label : -1));
  const targets = examples.flatMap(({ label }) => (typeof label === "number" ? [] : [label]));
  return scoreOf(
    outputs.map(([y]) => y as Int8Array),
    { inputs: [], labels: targets.length > 0 ? new Int32Array(0) : labels, targets },
  );
}
