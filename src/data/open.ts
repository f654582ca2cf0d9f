import { join, resolve } from "node:path";
import { fail } from "../base/diagnostics.js";
import { checkApplicable } from "./applicable.js";
import { checkExample, type Expected, usualExample } from "./check-examples.js";
import { scanCsv } from "./csv.js";
import type { Dataset, DatasetIndex, Fit, Targets } from "./dataset.js";
import { emptyFolders, isGzip, listFiles, readStart } from "./files.js";
import type { Found, FoundExample } from "./found.js";
import { isIdx, scanIdx } from "./idx.js";
import { isJpeg, isPng } from "./images.js";
import { scanNumpy } from "./numpy.js";
import { type CheckedOptions, checkOptions, type DatasetOptions } from "./options.js";
import { collectProblems, type Problems } from "./problems.js";
import { readExample } from "./read.js";
import { type FileFormat, scanFiles } from "./scan-files.js";
import { decideSplits } from "./splits.js";
import { recordingsInWindows } from "./windows.js";

type Format = FileFormat | "idx" | "csv" | "numpy";

const formats = ["image", "wav", "acquisition", "idx", "csv", "numpy"] as const satisfies readonly Format[];

/** By what follows the last point of a name, where that says it. */
const extensions: Readonly<Record<string, Format>> = {
  png: "image",
  jpg: "image",
  jpeg: "image",
  wav: "wav",
  csv: "csv",
  tsv: "csv",
  json: "acquisition",
  cbor: "acquisition",
  npy: "numpy",
  npz: "numpy",
};

/** Folders of sound that is mixed with examples, and is none. */
const isBackground = (name: string): boolean => /(^|\/)_background_noise_\//.test(name);

const text = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

/** By a file's first bytes, for names that do not say it. */
function sniff(path: string): Format | null {
  const bytes = readStart(path, 16);
  if (isPng(bytes) || isJpeg(bytes)) return "image";
  if (text(bytes.subarray(0, 4)) === "RIFF") return "wav";
  if (text(bytes.subarray(1, 6)) === "NUMPY") return "numpy";
  if (isIdx(bytes)) return "idx";
  return isGzip(bytes) && /idx|ubyte/i.test(path) ? "idx" : null;
}

const extensionOf = (name: string): string => /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";

interface Sorted {
  readonly format: Format | null;
  readonly names: readonly string[];
  readonly others: readonly string[];
  readonly background: readonly string[];
}

/** Files of the format that most have; the rest may be lists, licences, or a mistake. */
function sortFiles(root: string, all: readonly string[]): Sorted {
  const background = all.filter((n) => isBackground(n) && extensionOf(n) === "wav");
  const byFormat = new Map<Format, string[]>();
  const others: string[] = [];
  for (const name of all.filter((n) => !isBackground(n))) {
    const format = extensions[extensionOf(name || root)] ?? sniff(join(root, name));
    if (format === null) others.push(name);
    else {
      const names = byFormat.get(format) ?? [];
      names.push(name);
      byFormat.set(format, names);
    }
  }
  const [best] = [...byFormat].sort(([, a], [, b]) => b.length - a.length);
  const rest = [...byFormat].flatMap(([format, names]) => (format === best?.[0] ? [] : names));
  return { format: best?.[0] ?? null, names: best?.[1] ?? [], others: [...others, ...rest].sort(), background };
}

/** Reports classes without examples: folders that are empty. */
function checkEmptyFolders(root: string, problems: Problems): void {
  for (const folder of emptyFolders(root)) {
    problems.bad("TH6014", {
      where: [join(root, folder)],
      found: "an empty folder",
      fix: "put examples of the class into it, or remove the folder",
    });
  }
}

/** Classes, of which some network is to tell several, each with something to learn from. */
function checkClasses(index: Pick<DatasetIndex, "classes" | "examples" | "root">, problems: Problems): void {
  index.classes.forEach((name, label) => {
    const ofClass = index.examples.filter((e) => e.label === label);
    if (ofClass.some((e) => e.split === "train")) return;
    problems.warn("TH6014", {
      where: [index.root, name],
      message: "a class has no training examples",
      found: `${ofClass.length} examples, all of them for validation or test`,
      fix: "give it more examples, or choose another split",
    });
  });
}

/** Images of an array, which are resized as they are read where a size is asked for; files of images know theirs. */
function resized(found: Found, { image }: CheckedOptions): Found {
  const { encoding, shape, kind } = found;
  if (image === undefined || encoding.format !== "raw" || kind !== "image" || shape === null) return found;
  const [height = 1, width = 1, channels = 1] = shape;
  const to = { height: image.height, width: image.width, channels: image.channels ?? channels };
  return {
    ...found,
    encoding: { ...encoding, resize: { from: { height, width, channels }, to } },
    shape: [to.height, to.width, to.channels],
  };
}

function scan(root: string, sorted: Sorted, options: CheckedOptions, problems: Problems): Found | null {
  const { format, names, others } = sorted;
  switch (format) {
    case null:
      return null;
    case "idx":
      return scanIdx(root, names, problems);
    case "csv":
      return scanCsv(root, names, options, problems);
    case "numpy":
      return scanNumpy(root, names, problems);
    default:
      return scanFiles(root, names, others, format, options, problems);
  }
}

/** Names of classes in order: numbers by value, words by their letters. */
const inOrder = (a: string, b: string): number => {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? (a < b ? -1 : a > b ? 1 : 0) : x - y;
};

/** Shapes that all examples share; null for sound of several lengths. */
function shapeOf(found: Found, fit: Fit, expected: Expected, options: CheckedOptions): readonly number[] | null {
  if (found.kind === "audio" && found.encoding.format !== "raw") return fit.length === null ? null : [fit.length];
  if (found.kind === "image" && options.image !== undefined && expected.shape === null) return null;
  return expected.shape ?? found.shape;
}

/**
 * Opens a data set and looks at all of it: an index of its examples is made, their values stay in their files. What the
 * files are is told by their contents and layout:
 *
 * - images (PNG, JPEG), WAV files or recordings of Edge Impulse's acquisition format, in a folder for each class, with
 *   labels in their names (`pattern`), or in `info.labels`;
 * - tables of time series (see `scanCsv`), IDX files, NumPy arrays.
 *
 * Folders named train, validation and test decide splits, as do lists; see `DatasetOptions.split` for the rest.
 *
 * Throws all problems found together: TH6001 and TH6010 to TH6016; with `bad: "skip"` they are warnings.
 */
export function openDataset(path: string, options: DatasetOptions = {}): Dataset {
  const checked = checkOptions(options);
  const problems = collectProblems(checked.bad);
  const root = resolve(path);
  const all = listFiles(root);
  const sorted = sortFiles(root, all);
  checkEmptyFolders(root, problems);
  const found = scan(root, sorted, checked, problems);
  if (found === null) {
    problems.settle();
    fail("TH6010", {
      where: [root],
      found: all.length === 0 ? "no files" : `${all.length} files, none of a known format`,
      expected: "images, WAV or CSV files, IDX, NumPy arrays, or an Edge Impulse export",
      fix: "give the folder that holds the classes' folders or the files",
    });
  }
  checkApplicable(found, options);
  const divided = recordingsInWindows(root, resized(found, checked), checked, problems);
  return indexOf(root, divided, sorted, checked, problems);
}

function indexOf(root: string, found: Found, sorted: Sorted, options: CheckedOptions, problems: Problems): Dataset {
  const fit: Fit = {
    length: options.length ?? null,
    align: options.align,
    resampleTo: options.otherRates === "resample" ? (options.sampleRate ?? null) : null,
  };
  if (options.otherRates === "resample" && options.sampleRate === undefined) {
    fail("TH6003", {
      where: ["data set options", "otherRates"],
      found: "resample without a rate",
      fix: "give sampleRate as well",
    });
  }
  // Tables and arrays were read while they were scanned, or are checked as arrays of numbers that cannot be wrong.
  const isChecked = found.encoding.format === "csv";
  const isInteger = found.encoding.format === "raw" && !found.encoding.element.startsWith("float");
  const isLooked = options.check === "everything" && !isChecked && !isInteger;
  const usual = usualExample(found, fit);
  const expected: Expected = { ...usual, sampleRate: options.sampleRate ?? usual.sampleRate };
  const kept = found.examples.map((e) => !isLooked || checkExample(found, e, fit, expected, problems));
  const examples = found.examples.filter((_, i) => kept[i]);
  const classes = [...new Set(examples.flatMap((e) => (e.label === null ? [] : [e.label])))].sort(inOrder);
  reportLost(root, found.examples, classes, problems);
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const decided = decideSplits(examples, options);
  const index: DatasetIndex = {
    layout: found.layout,
    root,
    kind: found.kind,
    encoding: found.encoding,
    fit,
    files: found.files,
    examples: examples.map(({ order: _, label, ...e }, i) => ({
      ...e,
      label: label === null ? -1 : (numbers.get(label) ?? -1),
      split: decided[i] ?? "train",
    })),
    classes,
    shape: shapeOf(found, fit, expected, options),
    sampleRate: fit.resampleTo ?? expected.sampleRate ?? found.sampleRate,
    columns: found.columns,
    targets: options.targets === "inputs" ? "inputs" : keptTargets(found, kept),
    background: { files: sorted.background.map((name) => join(root, name)) },
  };
  checkClasses(index, problems);
  const data = sorted.others.filter((n) => (formats as readonly string[]).includes(extensions[extensionOf(n)] ?? ""));
  if (data.length > 0 && !sorted.others.some((n) => n.endsWith("info.labels"))) {
    problems.warn("TH6017", {
      where: [root],
      message: "files of another format were left out",
      found: `${data.length}, such as ${data[0]}`,
      expected: found.layout,
      fix: "move them away if they are no part of the data set",
    });
  }
  const warnings = problems.settle();
  if (examples.length === 0) {
    fail("TH6014", { where: [root], message: "the data set has no examples", fix: "look at its folder" });
  }
  return { ...index, warnings, read: (i) => readExample(index, i) };
}

/** Classes all of whose examples are bad. */
function reportLost(root: string, all: readonly FoundExample[], classes: readonly string[], problems: Problems): void {
  const lost = new Set(all.flatMap((e) => (e.label === null || classes.includes(e.label) ? [] : [e.label])));
  for (const name of lost) {
    problems.bad("TH6014", { where: [root, name], found: "only bad examples", fix: "replace them" });
  }
}

function keptTargets({ targets }: Found, kept: readonly boolean[]): Targets | null {
  if (targets === null || kept.every(Boolean)) return targets;
  const size = targets.shape.reduce((a, b) => a * b, 1);
  const data = kept.flatMap((isKept, i) => (isKept ? [...targets.data.subarray(i * size, (i + 1) * size)] : []));
  return { shape: targets.shape, data: Float32Array.from(data) };
}
