import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import type { Normalization } from "../data/batch.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { measureNormalization, openPipeline } from "../data/pipeline.js";
import type { Recipe } from "../frontends/recipe.js";
import { transformModule } from "../frontends/transform.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";

/** Examples as a network takes them: float32, in its input's shape. */
export interface Examples {
  readonly inputs: readonly Float32Array[];
  /** The class of each; empty where examples have targets. */
  readonly labels: Int32Array;
  readonly targets: readonly Float32Array[];
  /** Which examples of the data set they are. */
  readonly indices: readonly number[];
}

/** How examples become what a network takes: by a front-end, or by an offset and a scale. */
export interface Preparation {
  /** Of the values in the files; default as {@link preparationFor} says. Not used with a front-end. */
  readonly normalization?: Normalization;
  /** Features in place of the signal, computed as the device computes them. */
  readonly frontend?: Recipe;
}

/**
 * The preparation that is taken where nothing else is asked for: images from 0 to 1, sound from -1 to 1, and series with
 * mean 0 and deviation 1 in each column of the training examples.
 */
export function preparationFor(dataset: Dataset, given: Preparation): Preparation {
  if (given.frontend !== undefined || given.normalization !== undefined || dataset.kind !== "series") return given;
  return { normalization: measureNormalization(dataset, "train") };
}

/** The preparation among other options. */
export const preparationOf = ({ normalization, frontend }: Preparation): Preparation => ({
  ...(normalization ? { normalization } : {}),
  ...(frontend ? { frontend } : {}),
});

/** The pipeline's options for a preparation. */
export const pipelineOf = ({ normalization, frontend }: Preparation) => ({
  ...(frontend ? { transform: { module: transformModule, options: { recipe: frontend } } } : {}),
  ...(normalization && !frontend ? { normalization } : {}),
});

export interface ExampleOptions extends Preparation {
  readonly split: Split;
  /** At most so many, chosen by the seed. */
  readonly count?: number;
  readonly seed?: number;
  readonly onProgress?: (done: number, count: number) => void;
}

/** Batches are only for reading: their size matters little. */
const readBatch = 32;

/** Values that a network for examples of that shape is to give: one for each class, or the target's. */
export function wantedOf({ targets, classes }: Dataset, shape: readonly number[]): number {
  if (targets === null) return classes.length;
  return elementsOf(targets === "inputs" ? shape : targets.shape);
}

/** Reads examples of a split as a network takes them. Throws TH6002 where their size is not that of its input. */
export async function readExamples(dataset: Dataset, graph: Graph, options: ExampleOptions): Promise<Examples> {
  const { split, seed = 1, onProgress } = options;
  const total = examplesOf(dataset, split).length;
  const count = Math.min(options.count ?? total, total);
  const batchSize = Math.max(1, Math.min(readBatch, total));
  const source = await openPipeline(dataset, {
    split,
    batchSize,
    seed,
    order: count < total ? "shuffled" : "index",
    last: "fill",
    augmentation: [],
    ...pipelineOf(options),
  });
  try {
    const input = tensorOf(graph, graph.inputs[0] as never);
    const [wanted, size] = [elementsOf(input.shape), elementsOf(source.shape)];
    if (wanted !== size || graph.inputs.length !== 1) {
      fail("TH6002", {
        where: [dataset.root],
        found: `examples of [${source.shape.join(", ")}]`,
        expected: `one input of [${input.shape.slice(1).join(", ")}], as the model has`,
        fix: "give the examples that size (--image, --length, --window), or a data set that goes with the model",
      });
    }
    const inputs: Float32Array[] = [];
    const labels: number[] = [];
    const targets: Float32Array[] = [];
    const indices: number[] = [];
    for await (const batch of source.batches(0)) {
      for (let i = 0; i < batch.count && inputs.length < count; i++) {
        inputs.push(batch.x.slice(i * size, (i + 1) * size));
        indices.push(batch.examples[i] as number);
        if (batch.y instanceof Int32Array) labels.push(batch.y[i] as number);
        else {
          const width = batch.y.length / batchSize;
          targets.push(batch.y.slice(i * width, (i + 1) * width));
        }
      }
      source.release(batch);
      onProgress?.(inputs.length, count);
      if (inputs.length >= count) break;
    }
    return { inputs, labels: Int32Array.from(labels), targets, indices };
  } finally {
    await source.close();
  }
}
