import { pathToFileURL } from "node:url";
import { fail } from "../base/diagnostics.js";
import { type Random, seededRandom } from "../base/random.js";
import { type AugmentContext, type AugmentStep, augment, beta, stageOf } from "./augment.js";
import type { DatasetIndex, SampleKind, Targets, TransformModule } from "./dataset.js";
import { readWhole } from "./files.js";
import { readExample } from "./read.js";
import { decodeWav } from "./wav.js";

/** A front-end: from values in the units of the files (uint8, int16) to the input of a network. */
export interface Transform {
  readonly shape: readonly number[];
  /** Writes the product of `shape` values to `output`. */
  readonly apply: (input: Float32Array, output: Float32Array) => void;
}

export type CreateTransform = (options: unknown, shape: readonly number[], kind: SampleKind) => Transform;

/** x' = (x - offset) * scale, for all values, or for each index along the last axis. */
export interface Normalization {
  readonly offset: readonly number[];
  readonly scale: readonly number[];
}

/** Values of examples that are computed once, shared by all workers; `ready[slot]` is 1 when slot holds its example. */
export interface SharedCache {
  readonly values: SharedArrayBuffer;
  readonly ready: SharedArrayBuffer;
  /** Examples of indices below this have a slot of their own. */
  readonly slots: number;
}

/** How examples become batches: plain data that workers are given. */
export interface BatchSettings {
  readonly batchSize: number;
  readonly seed: number;
  readonly augmentation: readonly AugmentStep[];
  readonly transform: TransformModule | null;
  readonly normalization: Normalization;
  readonly labels: "index" | "soft";
  readonly cache: SharedCache | null;
}

/** One batch to make. */
export interface BatchJob {
  readonly epoch: number;
  readonly examples: readonly number[];
  /** Augmentation is for training; an evaluation sees examples as they are. */
  readonly augmented: "yes" | "no";
}

/** A batch; rows past `count` are zeros. Labels are classes, or rows of `classes` probabilities, or targets. */
export interface Batch {
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly count: number;
  /** Indices of the examples in the data set. */
  readonly examples: readonly number[];
}

const fullScales: Readonly<Record<SampleKind, number>> = { image: 255, audio: 32768, series: 1, tensor: 1 };

/** Values in [0, 1] for images and in [-1, 1] for sound; anything else as it is. */
export const usualNormalization = (kind: SampleKind): Normalization => ({
  offset: [0],
  scale: [1 / fullScales[kind]],
});

/** One number of several, for seeds: the same on every machine, and unlike for neighbours. */
export function mixSeeds(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
    hash = (hash ^ (hash >>> 13)) >>> 0;
  }
  return hash;
}

export const sizeOfShape = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The transform of a module. Throws TH6003 if there is none. */
export async function loadTransform(
  { module, options }: TransformModule,
  shape: readonly number[],
  kind: SampleKind,
): Promise<Transform> {
  const url = module.startsWith("file:") ? module : pathToFileURL(module).href;
  const loaded = (await import(url)) as { readonly createTransform?: CreateTransform };
  if (loaded.createTransform === undefined) {
    fail("TH6003", {
      where: ["transform", module],
      found: "no createTransform",
      fix: "export a function of that name from the module",
    });
  }
  return loaded.createTransform(options, shape, kind);
}

/** The shape that every example of a set has. Throws TH6003 where they differ. */
export function commonShape(index: Pick<DatasetIndex, "shape" | "root">): readonly number[] {
  if (index.shape !== null) return index.shape;
  return fail("TH6003", {
    where: [index.root],
    found: "recordings of several lengths",
    expected: "`length`, the samples that each is cut or filled to",
    fix: "open the data set with a length",
  });
}

/** Makes batches of a data set. */
export interface BatchMaker {
  readonly shape: readonly number[];
  /** `recycled` is memory of a batch that is no longer needed. */
  readonly make: (job: BatchJob, recycled?: ArrayBuffer) => Batch;
}

/** Values of example i before anything random happens to them, from the cache or computed into it. */
function throughCache(
  cache: SharedCache | null,
  size: number,
  compute: (i: number) => Float32Array,
): (i: number) => Float32Array {
  if (cache === null) return compute;
  const [values, ready] = [new Float32Array(cache.values), new Int32Array(cache.ready)];
  return (i) => {
    if (i >= cache.slots) return compute(i);
    const slot = values.subarray(i * size, (i + 1) * size);
    // Two workers may compute the same values at once; they write the same bits.
    if (Atomics.load(ready, i) === 0) {
      slot.set(compute(i));
      Atomics.store(ready, i, 1);
    }
    return slot.slice();
  };
}

const signalSteps = (steps: readonly AugmentStep[], stage: "signal" | "features") =>
  steps.filter((s): s is Exclude<AugmentStep, { kind: "mixup" }> => stageOf(s) === stage);

/** True if something random happens before the front-end, so that its results cannot be kept. */
export const variesSignal = (settings: Pick<BatchSettings, "augmentation">): boolean =>
  signalSteps(settings.augmentation, "signal").length > 0;

/** Prepares to make batches, in this thread. */
export async function createBatchMaker(index: DatasetIndex, settings: BatchSettings): Promise<BatchMaker> {
  const shape = commonShape(index);
  const transform = settings.transform === null ? null : await loadTransform(settings.transform, shape, index.kind);
  const outShape = transform?.shape ?? shape;
  const size = sizeOfShape(outShape);
  const { offset, scale } = settings.normalization;
  const [onSignal, onFeatures] = [
    signalSteps(settings.augmentation, "signal"),
    signalSteps(settings.augmentation, "features"),
  ];
  const context: AugmentContext = {
    shape,
    fullScale: fullScales[index.kind],
    sampleRate: index.sampleRate,
    background: onSignal.some((s) => s.kind === "background")
      ? index.background.files.map((f) => decodeWav(readWhole(f), f).data)
      : [],
  };

  /** The front-end, or none, and then normalization. */
  const finish = (signal: Float32Array): Float32Array => {
    const out = transform === null ? signal : new Float32Array(size);
    transform?.apply(signal, out);
    // Counted, for a remainder costs more than the rest.
    for (let i = 0, o = 0, s = 0; i < out.length; i++) {
      out[i] = ((out[i] as number) - (offset[o] as number)) * (scale[s] as number);
      if (++o === offset.length) o = 0;
      if (++s === scale.length) s = 0;
    }
    return out;
  };
  const readSignal = (i: number): Float32Array => Float32Array.from(readExample(index, i).data);
  const isVaried = onSignal.length > 0;
  const steady = isVaried
    ? throughCache(settings.cache, sizeOfShape(shape), readSignal)
    : throughCache(settings.cache, size, (i) => finish(readSignal(i)));

  const render = (i: number, random: Random | null): Float32Array => {
    const start = steady(i);
    if (random === null) return isVaried ? finish(start) : start;
    const features = isVaried ? finish(augment(start, onSignal, random, context)) : start;
    return augment(features, onFeatures, random, { ...context, shape: outShape });
  };
  return {
    shape: outShape,
    make: (job, recycled) => makeBatch(index, settings, size, render, job, recycled),
  };
}

function makeBatch(
  index: DatasetIndex,
  settings: BatchSettings,
  size: number,
  render: (i: number, random: Random | null) => Float32Array,
  { examples, epoch, augmented }: BatchJob,
  recycled: ArrayBuffer | undefined,
): Batch {
  const bytes = settings.batchSize * size * 4;
  const x = new Float32Array(recycled?.byteLength === bytes ? recycled : new ArrayBuffer(bytes));
  if (recycled !== undefined) x.fill(0, examples.length * size);
  examples.forEach((i, row) => {
    x.set(render(i, augmented === "yes" ? seededRandom(mixSeeds(settings.seed, epoch, i)) : null), row * size);
  });
  const y = index.targets === "inputs" ? x.slice() : labelsOf(index, settings, index.targets, examples);
  const mixup = augmented === "yes" ? settings.augmentation.find((s) => s.kind === "mixup") : undefined;
  if (mixup !== undefined && y instanceof Float32Array) {
    const random = seededRandom(mixSeeds(settings.seed, epoch, examples[0] ?? 0, 1));
    mixPairs(x, y, examples.length, settings.batchSize, mixup.alpha, random);
  }
  return { x, y, count: examples.length, examples };
}

/** Mixes every row with the next one, the last with the first. */
function mixPairs(
  x: Float32Array,
  y: Float32Array,
  count: number,
  batchSize: number,
  alpha: number,
  random: Random,
): void {
  const [xSize, ySize] = [x.length / batchSize, y.length / batchSize];
  const first = [x.slice(0, xSize), y.slice(0, ySize)] as const;
  const mix = (to: Float32Array, from: Float32Array, part: number): void => {
    for (let i = 0; i < to.length; i++) to[i] = part * (to[i] as number) + (1 - part) * (from[i] as number);
  };
  for (let row = 0; row < count; row++) {
    const part = Math.max(beta(alpha, random), 0);
    const isLast = row === count - 1;
    const next = [(row + 1) * xSize, (row + 1) * ySize] as const;
    mix(x.subarray(row * xSize, next[0]), isLast ? first[0] : x.subarray(next[0], next[0] + xSize), part);
    mix(y.subarray(row * ySize, next[1]), isLast ? first[1] : y.subarray(next[1], next[1] + ySize), part);
  }
}

function labelsOf(
  index: DatasetIndex,
  settings: BatchSettings,
  targets: Targets | null,
  examples: readonly number[],
): Batch["y"] {
  const { classes } = index;
  if (targets !== null) {
    const size = sizeOfShape(targets.shape);
    const y = new Float32Array(settings.batchSize * size);
    examples.forEach((i, row) => {
      y.set(targets.data.subarray(i * size, (i + 1) * size), row * size);
    });
    return y;
  }
  const labels = examples.map((i) => index.examples[i]?.label ?? 0);
  if (settings.labels === "index") {
    const y = new Int32Array(settings.batchSize);
    y.set(labels);
    return y;
  }
  const y = new Float32Array(settings.batchSize * classes.length);
  labels.forEach((label, row) => {
    y[row * classes.length + label] = 1;
  });
  return y;
}
