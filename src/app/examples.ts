import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import type { Normalization } from "../data/batch.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { openPipeline } from "../data/pipeline.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";

/** Examples as a network takes them: float32, in its input's shape. */
export interface Examples {
  readonly inputs: readonly Float32Array[];
  /** The class of each; empty where examples have targets. */
  readonly labels: Int32Array;
  readonly targets: readonly Float32Array[];
}

export interface ExampleOptions {
  readonly split: Split;
  /** At most so many, chosen by the seed. */
  readonly count?: number;
  readonly seed?: number;
  readonly normalization?: Normalization;
  readonly onProgress?: (done: number, count: number) => void;
}

/** Batches are only for reading: their size matters little. */
const readBatch = 32;

/** Reads examples of a split as a network takes them. Throws TH6002 where their size is not that of its input. */
export async function readExamples(dataset: Dataset, graph: Graph, options: ExampleOptions): Promise<Examples> {
  const { split, seed = 1, normalization, onProgress } = options;
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
    ...(normalization ? { normalization } : {}),
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
    for await (const batch of source.batches(0)) {
      for (let i = 0; i < batch.count && inputs.length < count; i++) {
        inputs.push(batch.x.slice(i * size, (i + 1) * size));
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
    return { inputs, labels: Int32Array.from(labels), targets };
  } finally {
    await source.close();
  }
}

/** How well outputs agree with what examples say. */
export type Score =
  | { readonly kind: "accuracy"; readonly correct: number; readonly count: number; readonly value: number }
  | { readonly kind: "mean squared error"; readonly count: number; readonly value: number };

const largest = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
};

/** Accuracy of classes, or the mean squared error against targets. */
export function scoreOf(outputs: readonly ArrayLike<number>[], examples: Examples): Score {
  const count = outputs.length;
  if (examples.labels.length > 0) {
    const correct = outputs.reduce((sum, y, i) => sum + (largest(y) === examples.labels[i] ? 1 : 0), 0);
    return { kind: "accuracy", correct, count, value: correct / Math.max(1, count) };
  }
  const total = outputs.reduce((sum, y, i) => {
    const target = examples.targets[i] ?? new Float32Array(0);
    let error = 0;
    for (let k = 0; k < y.length; k++) error += ((y[k] as number) - (target[k] ?? 0)) ** 2;
    return sum + error / Math.max(1, y.length);
  }, 0);
  return { kind: "mean squared error", count, value: total / Math.max(1, count) };
}
