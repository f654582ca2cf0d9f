import { fail } from "../base/diagnostics.js";
import { decodeAcquisition } from "./acquisition.js";
import { decodeCsv } from "./csv.js";
import type { DatasetIndex, Example, Fit, Sample, SampleData, Signal } from "./dataset.js";
import { readRange } from "./files.js";
import { decodeImage, imageOfSize } from "./images.js";
import { decodeRaw } from "./raw.js";
import { decodeWav, resample } from "./wav.js";

/** A signal and its rate, where the file states one. */
export interface Decoded extends Signal {
  readonly sampleRate: number | null;
}

/** The values of an example as its file has them, before it is brought to the length of all. */
export function decodeExample(
  index: Pick<DatasetIndex, "files" | "encoding" | "shape">,
  example: Example | Omit<Example, "label" | "split" | "group">,
): Decoded {
  const file = index.files[example.file];
  if (file === undefined) throw new RangeError(`file ${example.file} is not in the data set`);
  const bytes = readRange(file, example.offset, example.bytes);
  const { encoding } = index;
  switch (encoding.format) {
    case "image":
      return { ...decodeImage(bytes, file.path, encoding.size), sampleRate: null };
    case "wav": {
      const { header, data } = decodeWav(bytes, file.path);
      return { shape: [data.length], data, sampleRate: header.sampleRate };
    }
    case "csv": {
      const { shape, data } = decodeCsv(bytes, encoding.delimiter, encoding.columns, example.name);
      // A table whose rows are examples has no axis of time.
      return { shape: index.shape?.length === 1 ? shape.slice(1) : shape, data, sampleRate: null };
    }
    case "acquisition": {
      const { shape, data, sampleRate } = decodeAcquisition(bytes, file.path);
      return { shape, data, sampleRate };
    }
    case "raw": {
      const data = decodeRaw(bytes, encoding);
      if (encoding.resize !== undefined && data instanceof Uint8Array) {
        const { from, to } = encoding.resize;
        return { ...imageOfSize({ ...from, data }, to), sampleRate: null };
      }
      return { shape: index.shape ?? [data.length], data, sampleRate: null };
    }
    default:
      return encoding satisfies never;
  }
}

/** Cuts rows of `step` elements to `length`, or fills with zeros. */
function fitLength(data: SampleData, step: number, length: number, align: Fit["align"]): SampleData {
  const rows = data.length / step;
  if (rows === length) return data;
  const shift = align === "center" ? Math.floor((length - rows) / 2) : 0;
  if (rows > length) {
    const from = align === "center" ? Math.floor((rows - length) / 2) : 0;
    return data.slice(from * step, (from + length) * step);
  }
  const out = data.slice(0, 0).constructor as new (length: number) => SampleData;
  const filled = new out(length * step);
  filled.set(data, shift * step);
  return filled;
}

/** Brings a signal to the rate and length of all. */
export function fitSignal(signal: Decoded, fit: Fit): Signal {
  const { data: found, shape, sampleRate } = signal;
  const isResampled = fit.resampleTo !== null && sampleRate !== null && found instanceof Int16Array;
  const data = isResampled ? resample(found, sampleRate, fit.resampleTo) : found;
  if (fit.length === null) return { shape: isResampled ? [data.length] : shape, data };
  const step = shape.slice(1).reduce((a, b) => a * b, 1);
  return { shape: [fit.length, ...shape.slice(1)], data: fitLength(data, step, fit.length, fit.align) };
}

/** Reads one example of an index. Throws the diagnostics of a file that has changed for the worse. */
export function readExample(index: DatasetIndex, i: number): Sample {
  const example = index.examples[i];
  if (example === undefined) throw new RangeError(`example ${i} of ${index.examples.length}`);
  const { shape, data } = fitSignal(decodeExample(index, example), index.fit);
  if (index.shape !== null && shape.join() !== index.shape.join()) {
    fail("TH6013", {
      where: [index.root, example.name],
      found: `[${shape.join(", ")}]`,
      expected: `[${index.shape.join(", ")}]`,
      fix: "open the data set again: the file has changed",
    });
  }
  const { targets } = index;
  if (targets === null || targets === "inputs") return { kind: index.kind, shape, data, label: example.label };
  const size = targets.shape.reduce((a, b) => a * b, 1);
  return { kind: index.kind, shape, data, label: targets.data.slice(i * size, (i + 1) * size) };
}
