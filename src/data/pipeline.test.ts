import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../base/npy.js";
import { seededRandom } from "../base/random.js";
import type { Augmentation } from "./augment.js";
import type { Batch } from "./batch.js";
import type { Dataset } from "./dataset.js";
import { openDataset } from "./open.js";
import { type BatchSource, measureNormalization, openPipeline, type PipelineOptions } from "./pipeline.js";
import { encodeWav } from "./wav.js";

const [height, width, perClass] = [6, 5, 20];
let root = "";
let images: Dataset;

/** A front-end: halves of the values, backwards. */
const transformSource = `export const createTransform = (options, shape) => ({
  shape: [shape[0] * shape[1]],
  apply: (input, output) => { for (let i = 0; i < output.length; i++) output[i] = input[input.length - 1 - i] * options.factor; },
});`;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "thimble-pipeline-"));
  const random = seededRandom(3);
  for (const label of ["a", "b", "c"]) {
    mkdirSync(join(root, "images", label), { recursive: true });
    mkdirSync(join(root, "sound", label), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const data = Uint8Array.from({ length: height * width }, () => random.integer(0, 255));
      writeFileSync(join(root, "images", label, `${i}.png`), encodePng({ width, height, channels: 1, data }));
      const sound = Int16Array.from({ length: 40 }, () => random.integer(-20000, 20000));
      writeFileSync(join(root, "sound", label, `${i}.wav`), encodeWav(sound, 1000));
    }
  }
  mkdirSync(join(root, "sound", "_background_noise_"));
  writeFileSync(join(root, "sound", "_background_noise_", "hum.wav"), encodeWav(new Int16Array(100).fill(3000), 1000));
  writeFileSync(join(root, "half.mjs"), transformSource);
  images = openDataset(join(root, "images"), { split: { kind: "hash", validation: 0.1, test: 0.2 } });
});
afterAll(() => rmSync(root, { recursive: true }));

/** Copies of an epoch's batches. */
async function epochOf(source: BatchSource, epoch: number): Promise<readonly Batch[]> {
  const all: Batch[] = [];
  for await (const batch of source.batches(epoch)) {
    all.push({ ...batch, x: batch.x.slice(), y: batch.y.slice() });
    source.release(batch);
  }
  return all;
}

async function epochs(dataset: Dataset, options: PipelineOptions, list: readonly number[]) {
  const source = await openPipeline(dataset, options);
  const found: (readonly Batch[])[] = [];
  for (const epoch of list) found.push(await epochOf(source, epoch));
  await source.close();
  return found;
}

const everything: Augmentation = [
  { kind: "shift", pixels: 2, fill: 9 },
  { kind: "crop", area: 0.6 },
  { kind: "flip" },
  { kind: "cutout", pixels: 2 },
  { kind: "brightness", level: 0.1 },
  { kind: "contrast", amount: 0.2, probability: 0.5 },
  { kind: "noise", level: 0.05 },
  { kind: "mixup", alpha: 0.3 },
];

describe("batches", () => {
  it("hold every training example once in an epoch, in an order of its own, with its label", async () => {
    const [first, second] = await epochs(images, { split: "train", batchSize: 7, last: "fill", workers: 0 }, [0, 1]);
    const train = images.examples.flatMap((e, i) => (e.split === "train" ? [i] : []));
    const order = (batches: readonly Batch[] = []): readonly number[] => batches.flatMap((b) => b.examples);
    expect(order(first).toSorted((a, b) => a - b)).toEqual(train);
    expect(order(second).toSorted((a, b) => a - b)).toEqual(train);
    expect(order(first)).not.toEqual(order(second));
    for (const { x, y, examples, count } of first ?? []) {
      expect(count).toBe(examples.length);
      examples.forEach((i, row) => {
        const sample = images.read(i);
        expect(y[row]).toBe(sample.label);
        const values = x.slice(row * sample.data.length, (row + 1) * sample.data.length);
        expect(values).toEqual(Float32Array.from(sample.data, (v) => v / 255));
      });
      expect(x.subarray((count * x.length) / 7).every((v) => v === 0)).toBe(true);
    }
  });

  const cases: readonly (readonly [name: string, set: "images" | "sound", options: Partial<PipelineOptions>])[] = [
    ["plain", "images", {}],
    ["augmented", "images", { augmentation: everything }],
    ["through a front-end", "images", { transform: { module: "half.mjs", options: { factor: 0.5 } } }],
    [
      "augmented before and after a front-end",
      "sound",
      {
        transform: { module: "half.mjs", options: { factor: 0.5 } },
        augmentation: [
          { kind: "timeShift", milliseconds: 5 },
          { kind: "gain", decibels: 6 },
          { kind: "background", volume: 0.5 },
          { kind: "timeWarp", amount: 0.2 },
          { kind: "specAugment", timeWidth: 3, bandWidth: 1 },
        ],
      },
    ],
  ];
  it.each(cases)("%s: are the same with any number of workers, in any order of epochs", async (_, set, options) => {
    const dataset = set === "images" ? images : openDataset(join(root, "sound"), { length: 40 });
    const { transform } = options;
    const base: PipelineOptions = {
      split: "train",
      batchSize: 8,
      ...options,
      ...(transform === undefined ? {} : { transform: { ...transform, module: join(root, transform.module) } }),
    };
    const [zero = [], one] = await epochs(dataset, { ...base, workers: 0 }, [0, 1]);
    expect(zero.length).toBeGreaterThan(1);
    expect(await epochs(dataset, { ...base, workers: 1 }, [1, 0])).toEqual([one, zero]);
    expect(await epochs(dataset, { ...base, workers: 3, prefetch: 11 }, [0, 1])).toEqual([zero, one]);
    expect(one).not.toEqual(zero);
    const [other] = await epochs(dataset, { ...base, seed: 2, workers: 0 }, [0]);
    expect(other).not.toEqual(zero);
  });

  it("of an evaluation are not augmented, and come in the order of the index", async () => {
    const [plain] = await epochs(images, { split: "test", batchSize: 4, workers: 0 }, [0]);
    const [augmented] = await epochs(
      images,
      { split: "test", batchSize: 4, workers: 0, augmentation: everything.slice(0, 7) },
      [0],
    );
    expect(augmented).toEqual(plain);
    const test = images.examples.flatMap((e, i) => (e.split === "test" ? [i] : []));
    expect(plain?.flatMap((b) => b.examples)).toEqual(test);
  });

  it("mixed in pairs have labels that sum to one, mixed as the values are", async () => {
    const options = { split: "train", batchSize: 8, workers: 0, labels: "soft" } as const;
    const [plain = []] = await epochs(images, options, [0]);
    const [mixed = []] = await epochs(images, { ...options, augmentation: [{ kind: "mixup", alpha: 1 }] }, [0]);
    const size = height * width;
    const rowOf = (a: Float32Array, row: number): Float32Array => a.slice(row * size, (row + 1) * size);
    for (const [b, { x, y }] of mixed.entries()) {
      const from = plain[b]?.x ?? new Float32Array();
      for (let row = 0; row < 8; row++) {
        expect([...y.slice(row * 3, row * 3 + 3)].reduce((s: number, v: number) => s + v, 0)).toBeCloseTo(1, 5);
        const next = (row + 1) % 8;
        const [these, those] = [rowOf(from, row), rowOf(from, next)];
        const [u = 0, v = 0, w = 0] = [these[0], those[0], x[row * size]];
        const part = (w - v) / (u - v);
        rowOf(x, row).forEach((value, i) => {
          expect(value).toBeCloseTo(part * (these[i] ?? 0) + (1 - part) * (those[i] ?? 0), 3);
        });
      }
    }
  });

  it("hold what a network is to give back, as it is given", async () => {
    const same: Dataset = { ...images, targets: "inputs" };
    const options: PipelineOptions = {
      split: "train",
      batchSize: 4,
      labels: "soft",
      augmentation: [{ kind: "brightness", level: 0.1 }],
      workers: 1,
    };
    const [[first] = []] = await epochs(same, options, [0]);
    expect(first?.y).toEqual(first?.x);
    const source = await openPipeline(same, options);
    expect(source.labelShape).toEqual(source.shape);
    await source.close();
  });

  it("of a split without examples are refused, as is what makes no sense", async () => {
    const none = openDataset(join(root, "images"), { split: { kind: "hash", validation: 0, test: 0 } });
    await expect(openPipeline(none, { split: "test", batchSize: 4 })).rejects.toThrow("TH6014");
    await expect(openPipeline(images, { split: "test", batchSize: 0 })).rejects.toThrow("TH6003");
    const unknown = [{ kind: "sharpen" }] as unknown as Augmentation;
    await expect(openPipeline(images, { split: "test", batchSize: 4, augmentation: unknown })).rejects.toThrow(
      "TH6003",
    );
    await expect(openPipeline(openDataset(join(root, "sound")), { split: "train", batchSize: 4 })).rejects.toThrow(
      "length",
    );
  });

  it.each([0, 1])("of a file that has gone are a diagnostic where they are asked for (%i workers)", async (workers) => {
    const gone = openDataset(join(root, "images"));
    const [{ path } = { path: "" }] = gone.files;
    const files = gone.files.map((f) => (f.path === path ? { ...f, path: `${path}.gone` } : f));
    const options = { split: "train", batchSize: 1, workers, last: "fill" } as const;
    await expect(epochs({ ...gone, files }, options, [0])).rejects.toThrow("TH6001");
  });
});

describe("a set larger than memory", () => {
  it("is read example by example", async () => {
    // Three gigabytes that take no room on the disk: only the last example is not zeros.
    const [count, size] = [12_000, 512 * 512];
    const header = writeNpy({ dtype: "uint8", shape: [0, 512, 512], data: new Uint8Array(0) });
    const text = new TextDecoder("latin1")
      .decode(header)
      .replace("(0, 512", `(${count}, 512`)
      .replace(/ {5}\n$/, "\n");
    const start = Buffer.from(text, "latin1");
    start.writeUInt16LE(start.length - 10, 8);
    const folder = join(root, "large");
    mkdirSync(folder);
    writeFileSync(join(folder, "x.npy"), start);
    truncateSync(join(folder, "x.npy"), start.length + (count - 1) * size);
    appendFileSync(join(folder, "x.npy"), new Uint8Array(size).fill(51));
    writeFileSync(
      join(folder, "y.npy"),
      writeNpy({ dtype: "uint8", shape: [count], data: Uint8Array.from({ length: count }, (_, i) => i % 2) }),
    );
    const before = process.memoryUsage().rss;
    const dataset = openDataset(folder, { split: { kind: "hash", validation: 0, test: 0 } });
    const source = await openPipeline(dataset, { split: "train", batchSize: 1, workers: 0, order: "index" });
    let seen = 0;
    for await (const { x } of source.batches(0)) {
      if (seen++ > 3) break;
      expect(x.every((v) => v === 0)).toBe(true);
    }
    expect(dataset.read(count - 1).data.every((v) => v === 51)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});

describe("measured normalization", () => {
  it("gives zero means and unit deviations", async () => {
    const normalization = measureNormalization(images, "train");
    const options = { split: "train", batchSize: 1, workers: 0, normalization } as const;
    const [batches = []] = await epochs(images, options, [0]);
    const all = batches.flatMap((b) => [...b.x]);
    const mean = all.reduce((s, v) => s + v, 0) / all.length;
    expect(mean).toBeCloseTo(0, 4);
    expect(all.reduce((s, v) => s + v * v, 0) / all.length).toBeCloseTo(1, 4);
  });
});
