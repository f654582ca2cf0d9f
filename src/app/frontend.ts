import type { TensorData } from "../base/dtype.js";
import type { Dataset, Split } from "../data/dataset.js";
import { attachFrontend } from "../frontends/frontend.js";
import type { Recipe } from "../frontends/recipe.js";
import { tensorOf } from "../ir/graph.js";
import type { Model } from "../ops/index.js";
import { dropFloatEdges } from "../passes/edges.js";
import { runPipeline } from "../passes/pipeline.js";
import { readExamples } from "./examples.js";
import { predictOnHost } from "./predict.js";
import { realInputs } from "./real-inputs.js";
import { type Score, scoreOf } from "./score.js";

/** An integer network behind its front-end: its input is the signal as the device has it. */
export function withFrontend(model: Model, recipe: Recipe, dataset: Pick<Dataset, "shape">): Model {
  const network = dropFloatEdges.run(runPipeline(model), { subgraphs: model.subgraphs });
  return { ...model, format: "memory", main: attachFrontend(recipe, dataset.shape ?? [], network), subgraphs: [] };
}

/**
 * The score of a network with its front-end on the signals of a split, by its generated C. `network` is the one behind the
 * front-end, which says what its features and outputs mean.
 */
export async function scoreSignals(
  model: Model,
  network: Model,
  dataset: Dataset,
  { split, frontend }: { readonly split: Split; readonly frontend: Recipe },
): Promise<Score> {
  const outputs = await predictOnHost(model, await realInputs(model.main, dataset, { split, frontend }));
  const { quant } = tensorOf(model.main, model.main.outputs[0] as never);
  const [scale, zero] = [quant?.scales[0] ?? 1, quant?.zeroPoints[0] ?? 0];
  // Classes are ordered alike in integers; errors are of real values.
  const real = (y: TensorData): ArrayLike<number> =>
    dataset.targets === null ? (y as Int8Array) : Float32Array.from(y as Int8Array, (v) => (v - zero) * scale);
  return scoreOf(
    outputs.map(([y]) => real(y as TensorData)),
    await readExamples(dataset, network.main, { split, frontend }),
  );
}
