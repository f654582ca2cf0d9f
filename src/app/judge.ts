import { elementsOf } from "../base/dtype.js";
import type { Dataset } from "../data/dataset.js";
import { tensorOf } from "../ir/graph.js";
import type { Model } from "../ops/index.js";
import { type Examples, wantedOf } from "./examples.js";
import { predictOnHost } from "./predict.js";
import { type Score, scoreOf } from "./score.js";

/** What networks are scored by: what the data says, or how close they are to the float network. */
export type Judge = "data" | "float network";

/** Whether outputs are what the data speaks of: a value for each class, or the target. */
export function judgeOf({ main }: Model, dataset: Dataset): Judge {
  const [input = [], output = []] = [main.inputs, main.outputs].map((ids) => tensorOf(main, ids[0] as never).shape);
  return elementsOf(output) === wantedOf(dataset, input) ? "data" : "float network";
}

/** Examples whose targets are what the float network gives for them. */
export async function judgedByFloat(float: Model, examples: Examples): Promise<Examples> {
  const outputs = await predictOnHost(
    float,
    examples.inputs.map((x) => [x]),
  );
  return { ...examples, labels: new Int32Array(0), targets: outputs.map(([y]) => y as Float32Array) };
}

/** The mean square of targets, which errors are compared with. */
export const powerOf = (examples: Examples): Score =>
  scoreOf(
    examples.targets.map((t) => new Float32Array(t.length)),
    examples,
  );

/** Points of accuracy, or the part by which the error grows; noise over signal where the float network is the judge. */
export function lossOf(score: Score, reference: Score, against: Judge): number {
  if (score.kind === "accuracy") return reference.value - score.value;
  return score.value / Math.max(reference.value, 1e-12) - (against === "data" ? 1 : 0);
}

/** The score of a model's generated C on examples. */
export async function scoreOnHost(model: Model, examples: Examples): Promise<Score> {
  const outputs = await predictOnHost(
    model,
    examples.inputs.map((x) => [x]),
  );
  return scoreOf(
    outputs.map(([y]) => y as Float32Array),
    examples,
  );
}
