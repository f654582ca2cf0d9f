import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { attachFrontend } from "../frontends/frontend.js";
import type { Recipe } from "../frontends/recipe.js";
import type { Model } from "../ops/index.js";
import { dropFloatEdges } from "../passes/edges.js";
import { runPipeline } from "../passes/pipeline.js";
import { predictOnHost } from "./predict.js";
import { realInputs } from "./real-inputs.js";
import { type Score, scoreOf } from "./score.js";

/** An integer network behind its front-end: its input is the signal as the device has it. */
export function withFrontend(model: Model, recipe: Recipe, dataset: Pick<Dataset, "shape">): Model {
  const network = dropFloatEdges.run(runPipeline(model), { subgraphs: model.subgraphs });
  return { ...model, format: "memory", main: attachFrontend(recipe, dataset.shape ?? [], network), subgraphs: [] };
}

/** The score of a network with its front-end on the signals of a split, by its generated C. */
export async function scoreSignals(model: Model, dataset: Dataset, split: Split, frontend: Recipe): Promise<Score> {
  const outputs = await predictOnHost(model, await realInputs(model.main, dataset, { split, frontend }));
  const indices = examplesOf(dataset, split);
  const labels = indices.map((i) => dataset.read(i).label);
  return scoreOf(
    outputs.map(([y]) => y as Int8Array),
    {
      inputs: [],
      labels: Int32Array.from(labels.filter((label) => typeof label === "number")),
      targets: labels.filter((label) => typeof label !== "number"),
      indices: [...indices],
    },
  );
}
