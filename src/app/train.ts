import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import type { Augmentation } from "../data/augment.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { type BatchSource, openPipeline } from "../data/pipeline.js";
import { tensorOf } from "../ir/graph.js";
import { zooEntry, zooNetwork } from "../nets/zoo.js";
import type { Graph } from "../ops/index.js";
import type { HostOptions } from "../train/host.js";
import type { Loss } from "../train/losses.js";
import type { Optimizer } from "../train/optimizers.js";
import { pipelineSource } from "../train/pipeline-source.js";
import type { Schedule } from "../train/schedules.js";
import { type EpochMetrics, type TrainProgress, type TrainResult, train } from "../train/trainer.js";
import { type Preparation, pipelineOf, wantedOf } from "./examples.js";

/** What learns: a network of the zoo by name, or a float graph of batch 1. */
export type Network = { readonly net: string; readonly width?: number } | { readonly graph: Graph };

export interface TrainJobOptions extends Preparation {
  readonly dataset: Dataset;
  readonly network: Network;
  readonly epochs?: number;
  readonly batch?: number;
  readonly rate?: number;
  readonly loss?: Loss;
  readonly optimizer?: Optimizer;
  readonly schedule?: Schedule;
  readonly augmentation?: Augmentation;
  readonly ema?: number;
  readonly clip?: number;
  readonly patience?: number;
  readonly seed?: number;
  readonly batchNorm?: "train" | "freeze";
  readonly frozen?: (name: string) => boolean;
  readonly workers?: number;
  /** ONNX Runtime's execution providers and threads; its CPU unless given. */
  readonly runtime?: HostOptions;
  readonly checkpoint?: string;
  readonly resume?: "if-there" | "never";
  readonly keep?: "best" | "last";
  readonly signal?: AbortSignal;
  readonly onEpoch?: (metrics: EpochMetrics) => void;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** What a training gave. */
export interface TrainJob extends TrainResult {
  /** Share of its time that the training did not wait for data. */
  readonly dataBusy: number;
}

/**
 * The input of a network of the zoo for examples: images as they are; series and features [time, channels] as images one
 * wide, unless the network takes features of one channel (as ds-cnn does).
 */
function inputShape(shape: readonly number[], wanted: readonly number[]): readonly number[] {
  if (shape.length === wanted.length) return shape;
  const [time = 1, channels = 1] = shape;
  if (wanted.length === 1) return [elementsOf(shape)];
  if (shape.length === 1) return [time, 1, 1];
  return wanted[2] === 1 ? [time, channels, 1] : [time, 1, channels];
}

/** The data set as a network is taught with it: networks of the zoo that give back their inputs learn from those. */
export const taughtWith = (dataset: Dataset, network: Network): Dataset =>
  "net" in network && zooEntry(network.net).gives === "inputs" ? { ...dataset, targets: "inputs" } : dataset;

/** The network to train on examples of that shape. Throws TH6002 where a graph takes others. */
export function networkFor(network: Network, dataset: Dataset, shape: readonly number[], seed: number): Graph {
  if ("net" in network) {
    const input = inputShape(shape, zooEntry(network.net).input);
    const classes = wantedOf(dataset, shape);
    return zooNetwork(network.net, { input, classes, seed, ...(network.width ? { width: network.width } : {}) });
  }
  const { graph } = network;
  checkPorts(graph, dataset, shape);
  return graph;
}

/** Throws TH6002 where a graph takes other examples, or has another number of results than there are classes or targets. */
export function checkPorts(graph: Graph, dataset: Dataset, shape: readonly number[]): void {
  const sizes = (ids: Graph["inputs"]): readonly (readonly number[])[] => ids.map((id) => tensorOf(graph, id).shape);
  const show = (all: readonly (readonly number[])[]): string =>
    all.map((s) => `[${s.slice(1).join(", ")}]`).join(" and ");
  const [inputs, outputs] = [sizes(graph.inputs), sizes(graph.outputs)];
  if (inputs.length !== 1 || elementsOf(inputs[0] ?? []) !== elementsOf(shape))
    fail("TH6002", {
      where: [graph.name],
      found: `examples of [${shape.join(", ")}]`,
      expected: show(inputs),
      fix: "give the examples that size, or train a network for their size",
    });
  const wanted = wantedOf(dataset, shape);
  if (outputs.length !== 1 || elementsOf(outputs[0] ?? []) !== wanted)
    fail("TH6002", {
      where: [graph.name],
      found: `outputs ${show(outputs)}`,
      expected:
        dataset.targets === null ? `one, with a value for each of ${wanted} classes` : `one of ${wanted} values`,
      fix: "train a network for these examples, or give the examples that the model is for",
    });
}

/** AdamW with the rate that suits it for networks of this size; cosine after a short rise. */
export const trainDefaults = {
  epochs: 20,
  batch: 64,
  rate: 2e-3,
  optimizer: { kind: "adamw", weightDecay: 0.02 },
  schedule: { kind: "cosine", warmup: 0.05 },
} as const;

/** The usual batch, or all examples where they are fewer. */
const batchOf = ({ batch, dataset }: TrainJobOptions): number =>
  batch ?? Math.max(1, Math.min(trainDefaults.batch, examplesOf(dataset, "train").length));

/** Opens the batches of a split; labels as rows. */
export const openSplit = (options: TrainJobOptions, split: Split): Promise<BatchSource> => {
  const { dataset, augmentation, seed = 1, workers } = options;
  return openPipeline(dataset, {
    split,
    batchSize: batchOf(options),
    seed,
    labels: "soft",
    ...(split === "train" && augmentation ? { augmentation } : { augmentation: [] }),
    ...pipelineOf(options),
    ...(workers === undefined ? {} : { workers }),
  });
};

/** Trains a network on a data set; see `train` of train/trainer.ts for what it promises and throws. */
export async function trainNetwork(given: TrainJobOptions): Promise<TrainJob> {
  const options = { ...given, dataset: taughtWith(given.dataset, given.network) };
  const { dataset, seed = 1 } = options;
  const training = await openSplit(options, "train");
  const hasValidation = examplesOf(dataset, "validation").length > 0;
  const validation = hasValidation ? await openSplit(options, "validation") : null;
  try {
    const network = networkFor(options.network, dataset, training.shape, seed);
    const { epochs, rate, optimizer, schedule } = { ...trainDefaults, ...definedOf(options) };
    const loss: Loss =
      options.loss ?? (dataset.targets === null ? { kind: "cross-entropy", smoothing: 0.05 } : { kind: "mse" });
    const result = await train(network, {
      ...definedOf(options),
      epochs,
      batch: batchOf(options),
      rate,
      optimizer,
      schedule,
      loss,
      seed,
      data: pipelineSource(training),
      ...(validation ? { validation: pipelineSource(validation) } : {}),
    });
    return { ...result, dataBusy: training.statistics().busyShare };
  } finally {
    await training.close();
    await validation?.close();
  }
}

/** The trainer's own options among those of a job. */
function definedOf(options: TrainJobOptions) {
  const {
    dataset: _d,
    network: _n,
    augmentation: _a,
    normalization: _m,
    frontend: _f,
    workers: _w,
    loss: _l,
    ...rest
  } = options;
  return rest;
}
