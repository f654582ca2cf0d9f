import { availableParallelism } from "node:os";
import { fail } from "../base/diagnostics.js";
import { seededRandom } from "../base/random.js";
import { type Augmentation, checkAugmentation } from "./augment.js";
import {
  type Batch,
  type BatchJob,
  type BatchSettings,
  commonShape,
  loadTransform,
  mixSeeds,
  type Normalization,
  type SharedCache,
  sizeOfShape,
  usualNormalization,
  variesSignal,
} from "./batch.js";
import { type DatasetIndex, examplesOf, type Split, type TransformModule } from "./dataset.js";
import { type Maker, makeHere, makeInThreads } from "./makers.js";

/** How a split becomes batches. */
export interface PipelineOptions {
  readonly split: Split;
  readonly batchSize: number;
  /** The order of examples and every random change follow from it. Default 1. */
  readonly seed?: number;
  /** "shuffled" anew in each epoch (default for training), or as in the index. */
  readonly order?: "shuffled" | "index";
  /** Whether the last batch of an epoch is left out if it is not full (default for training) or filled with zeros. */
  readonly last?: "drop" | "fill";
  readonly augmentation?: Augmentation;
  /** A front-end; default: the data set's, if it has one. */
  readonly transform?: TransformModule;
  /** Default: as is usual for the kind of signal, and nothing after a front-end. */
  readonly normalization?: Normalization;
  /** Classes as indices, or as rows of probabilities; mixup needs the latter, and is given it. */
  readonly labels?: "index" | "soft";
  /** Threads that make batches; 0 makes them in this one. Default: one less than the machine runs at once, up to 4. */
  readonly workers?: number;
  /** Batches made ahead. Default: two for each worker, and two. */
  readonly prefetch?: number;
  /** Memory for values that are computed once, such as decoded images and features. Default 256 MiB. */
  readonly cacheBytes?: number;
}

/** Where the time of a consumer of batches went, in milliseconds since the pipeline was opened or last reset. */
export interface PipelineStatistics {
  readonly batches: number;
  /** Waiting for a batch that was not ready. */
  readonly stalledMs: number;
  /** Between asking for batches: the consumer's own work. */
  readonly busyMs: number;
  /** busy / (busy + stalled); 1 before the first batch. */
  readonly busyShare: number;
  /** Sum over workers of the time batches took to make. */
  readonly makingMs: number;
}

/** A source of batches, the same whatever the number of workers. */
export interface BatchSource {
  /** Shape of one example, without the batch's axis. */
  readonly shape: readonly number[];
  /** Number of classes; 0 where examples have targets. */
  readonly classes: number;
  /** Shape of one label in `y`: [] for classes as indices. */
  readonly labelShape: readonly number[];
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  /** Examples that an epoch has. */
  readonly examplesPerEpoch: number;
  /** The batches of an epoch, counted from 0. A batch is the caller's; `release` gives its memory back. */
  readonly batches: (epoch: number) => AsyncIterable<Batch>;
  readonly release: (batch: Batch) => void;
  readonly statistics: () => PipelineStatistics;
  readonly resetStatistics: () => void;
  /** Ends the workers. */
  readonly close: () => Promise<void>;
}

/** Fisher and Yates, in place. */
function shuffle(order: Int32Array, seed: number): Int32Array {
  const random = seededRandom(seed);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}

/** Memory for what is computed once: worth it where files are decoded, images resized or a front-end runs. */
function cacheFor(
  index: DatasetIndex,
  options: Pick<BatchSettings, "augmentation" | "transform">,
  outShape: readonly number[],
  bytes: number,
): SharedCache | null {
  const { encoding } = index;
  if (encoding.format === "raw" && encoding.resize === undefined && options.transform === null) return null;
  const size = sizeOfShape(variesSignal(options) ? commonShape(index) : outShape);
  const slots = Math.min(index.examples.length, Math.floor(bytes / (4 * size)));
  if (slots === 0) return null;
  return { values: new SharedArrayBuffer(slots * size * 4), ready: new SharedArrayBuffer(slots * 4), slots };
}

function checkSizes(options: PipelineOptions, examples: number): void {
  const { batchSize, workers = 1, prefetch = 1 } = options;
  const isWhole = [batchSize, prefetch].every((n) => Number.isInteger(n) && n > 0) && Number.isInteger(workers);
  if (!isWhole || workers < 0) {
    fail("TH6003", {
      where: ["pipeline"],
      found: `batchSize ${batchSize}, workers ${workers}, prefetch ${prefetch}`,
      expected: "positive whole numbers",
      fix: "correct the options",
    });
  }
  if (examples > 0) return;
  fail("TH6014", {
    where: ["pipeline", options.split],
    message: "a split has no examples",
    fix: "choose another split rule, or add examples",
  });
}

/**
 * Opens a pipeline of batches over one split. Batches are Float32Arrays in memory of their own, made ahead by worker
 * threads; their contents follow from the data, the options and the epoch alone. Throws TH6003 and TH6014; a file that
 * can no longer be read is thrown where its batch is asked for.
 */
export async function openPipeline(dataset: DatasetIndex, options: PipelineOptions): Promise<BatchSource> {
  const { split, batchSize, seed = 1, cacheBytes = 2 ** 28 } = options;
  const isTraining = split === "train";
  const { order = isTraining ? "shuffled" : "index", last = isTraining ? "drop" : "fill" } = options;
  const chosen = Int32Array.from(examplesOf(dataset, split));
  checkSizes(options, chosen.length);
  const augmentation = checkAugmentation([...(options.augmentation ?? [])]);
  const { warnings: _, read: __, ...index } = dataset as DatasetIndex & { warnings?: unknown; read?: unknown };
  const transform = options.transform ?? dataset.transform ?? null;
  const shape = commonShape(index);
  const outShape = transform === null ? shape : (await loadTransform(transform, shape, index.kind)).shape;
  const isSoft = options.labels === "soft" || augmentation.some((s) => s.kind === "mixup");
  const identity: Normalization = { offset: [0], scale: [1] };
  const settings: BatchSettings = {
    batchSize,
    seed,
    augmentation,
    transform,
    normalization: options.normalization ?? (transform === null ? usualNormalization(index.kind) : identity),
    labels: isSoft ? "soft" : "index",
    cache: cacheFor(index, { augmentation, transform }, outShape, cacheBytes),
  };
  const workers = options.workers ?? Math.max(1, Math.min(4, availableParallelism() - 1));
  const maker = workers === 0 ? await makeHere(index, settings) : makeInThreads(index, settings, workers);
  const isDropped = last === "drop" && chosen.length >= batchSize;
  const batchesPerEpoch = isDropped ? Math.floor(chosen.length / batchSize) : Math.ceil(chosen.length / batchSize);
  const orderOf = (epoch: number): Int32Array =>
    order === "shuffled" ? shuffle(chosen.slice(), mixSeeds(seed, epoch)) : chosen;
  const { targets, classes } = index;
  return {
    shape: outShape,
    classes: classes.length,
    labelShape: targets === "inputs" ? outShape : (targets?.shape ?? (isSoft ? [classes.length] : [])),
    batchSize,
    batchesPerEpoch,
    examplesPerEpoch: isDropped ? batchesPerEpoch * batchSize : chosen.length,
    ...deliver(maker, {
      batchesPerEpoch,
      prefetch: workers === 0 ? 1 : (options.prefetch ?? 2 * workers + 2),
      jobOf: (epoch, batch, ordered) => ({
        epoch,
        augmented: isTraining ? "yes" : "no",
        examples: [...ordered.subarray(batch * batchSize, (batch + 1) * batchSize)],
      }),
      orderOf,
    }),
  };
}

interface Delivery {
  readonly batchesPerEpoch: number;
  readonly prefetch: number;
  readonly jobOf: (epoch: number, batch: number, ordered: Int32Array) => BatchJob;
  readonly orderOf: (epoch: number) => Int32Array;
}

/** Memory given back that is kept; more is left to the garbage collector. */
const maxRecycled = 16;

/** Hands batches out in order while later ones, of the next epoch too, are being made. */
function deliver(
  maker: Maker,
  { batchesPerEpoch, prefetch, jobOf, orderOf }: Delivery,
): Pick<BatchSource, "batches" | "release" | "statistics" | "resetStatistics" | "close"> {
  const ahead = new Map<number, Promise<Batch>>();
  const orders = new Map<number, Int32Array>();
  const recycled: ArrayBuffer[] = [];
  let [count, stalledMs, busyMs] = [0, 0, 0];

  /** Batches are numbered through all epochs. */
  const request = (number: number): Promise<Batch> => {
    const known = ahead.get(number);
    if (known !== undefined) return known;
    const epoch = Math.floor(number / batchesPerEpoch);
    const ordered = orders.get(epoch) ?? orderOf(epoch);
    orders.set(epoch, ordered);
    const made = maker.make(jobOf(epoch, number % batchesPerEpoch, ordered), recycled.pop());
    // Whoever asks for it is told; nobody may.
    made.catch(() => {});
    ahead.set(number, made);
    return made;
  };
  const forgetOthers = (first: number): void => {
    for (const number of ahead.keys()) if (number < first || number > first + prefetch) ahead.delete(number);
    const epoch = Math.floor(first / batchesPerEpoch);
    for (const e of orders.keys()) if (e < epoch || e > epoch + 1 + prefetch / batchesPerEpoch) orders.delete(e);
  };
  async function* batches(epoch: number): AsyncGenerator<Batch> {
    for (let i = 0; i < batchesPerEpoch; i++) {
      const number = epoch * batchesPerEpoch + i;
      forgetOthers(number);
      const start = performance.now();
      for (let k = 0; k < prefetch; k++) request(number + k);
      const batch = await request(number);
      ahead.delete(number);
      const given = performance.now();
      stalledMs += given - start;
      count++;
      yield batch;
      busyMs += performance.now() - given;
    }
  }
  return {
    batches,
    release: ({ x }) => {
      if (recycled.length < maxRecycled && x.byteLength > 0) recycled.push(x.buffer);
    },
    statistics: () => ({
      batches: count,
      stalledMs,
      busyMs,
      busyShare: busyMs + stalledMs === 0 ? 1 : busyMs / (busyMs + stalledMs),
      makingMs: maker.makingMs(),
    }),
    resetStatistics: () => {
      [count, stalledMs, busyMs] = [0, 0, 0];
    },
    close: maker.close,
  };
}

/** Mean and the reciprocal of the standard deviation of each index along the last axis, over one split. */
export function measureNormalization(
  dataset: DatasetIndex & { readonly read: (i: number) => { readonly data: ArrayLike<number> } },
  split: Split,
): Normalization {
  const channels = commonShape(dataset).at(-1) ?? 1;
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  let count = 0;
  for (const i of examplesOf(dataset, split)) {
    const { data } = dataset.read(i);
    for (let k = 0; k < data.length; k++) {
      const [v, c] = [data[k] as number, k % channels];
      sums[c] = (sums[c] as number) + v;
      squares[c] = (squares[c] as number) + v * v;
    }
    count += data.length / channels;
  }
  const offset = Array.from(sums, (s) => s / count);
  const scale = Array.from(squares, (s, c) => {
    const variance = s / count - (offset[c] as number) ** 2;
    return variance > 0 ? 1 / Math.sqrt(variance) : 1;
  });
  return { offset, scale };
}
