import { fail, formatDiagnostic } from "../../base/diagnostics.js";
import type { Normalization } from "../../data/batch.js";
import type { Dataset } from "../../data/dataset.js";
import { openDataset } from "../../data/open.js";
import type { DatasetOptions } from "../../data/options.js";
import { checkRecipe, type Recipe, soundKinds } from "../../frontends/recipe.js";
import type { Preparation } from "../examples.js";
import type { Console } from "./command.js";
import { jsonOption, listOption, numberOption, type RawOptions, requiredOption, textOption } from "./options.js";

/** Options of every command that reads data. */
export const dataOptions = [
  ["--data <path>", "a folder or file: images by class, WAV, CSV, IDX, npy/npz, Edge Impulse, Speech Commands"],
  ["--pattern <names>", "how file names say what they are, such as {label}_{group}_{index}.wav"],
  ["--split <rule>", "hash, hash:group, lists, or index:0-4 (these are the test set) (default: folders, else hash)"],
  ["--image <HxW[xC]>", "bring images to this size; C is 1 or 3"],
  ["--length <n>", "samples (sound) or rows (series) of every example"],
  ["--window <n>", "rows of a series that make one example"],
  ["--hop <n>", "rows from one window to the next (default: the window)"],
  ["--columns <names>", "columns of a series that are values"],
  ["--label-column <name>", "column that holds the class"],
  ["--sample-rate <hz>", "samples in a second; sound of other rates is refused, or resampled with --resample"],
  ["--resample", "bring sound of other rates to --sample-rate"],
  [
    "--normalize <range>",
    "0..1, -1..1, raw, or OFFSET,SCALE for (x - OFFSET) * SCALE (default: images 0..1, sound -1..1, series by their mean and deviation)",
  ],
  [
    "--frontend <recipe>",
    "features in place of the signal, on the device too: log-mel, mfcc, spectrogram, or JSON with kind and settings (or in @file.json)",
  ],
  ["--reconstruct", "networks are to give back their inputs, as autoencoders do (the default for --net autoencoder)"],
  ["--skip-bad", "leave bad files out, with a warning for each, in place of refusing the data"],
] as const;

function splitOption(options: RawOptions): DatasetOptions["split"] {
  const text = textOption(options, "split");
  if (text === undefined) return undefined;
  const [kind, detail] = text.split(":");
  if (kind === "lists" && detail === undefined) return { kind: "lists" };
  if (kind === "hash" && (detail === undefined || detail === "group" || detail === "name"))
    return { kind: "hash", by: detail ?? "name" };
  const [, low, high] = /^(\d+)(?:-(\d+))?$/.exec(detail ?? "") ?? [];
  if (kind === "index" && low !== undefined) return { kind: "index", test: [Number(low), Number(high ?? low)] };
  return fail("TH6003", {
    found: `--split ${text}`,
    expected: "hash, hash:group, lists, or index:0-4",
    fix: "see --help",
  });
}

function imageOption(options: RawOptions): DatasetOptions["image"] {
  const text = textOption(options, "image");
  if (text === undefined) return undefined;
  const [, height, width, channels] = /^(\d+)x(\d+)(?:x([13]))?$/i.exec(text) ?? [];
  if (height === undefined || width === undefined)
    return fail("TH6003", { found: `--image ${text}`, expected: "HxW or HxWxC, C 1 or 3", fix: "see --help" });
  const size = { height: Number(height), width: Number(width) };
  return channels === undefined ? size : { ...size, channels: channels === "1" ? 1 : 3 };
}

/** Opens the data set that the options name, and tells of what was left out. */
export function datasetOption(options: RawOptions, { note }: Console): Dataset {
  const path = requiredOption(options, "data", "examples/");
  const whole = (name: string): number | undefined => numberOption(options, name, "whole");
  const given: Record<string, unknown> = {
    pattern: textOption(options, "pattern"),
    split: splitOption(options),
    image: imageOption(options),
    length: whole("length"),
    window: whole("window"),
    hop: whole("hop"),
    columns: listOption(options, "columns"),
    labelColumn: textOption(options, "label-column"),
    sampleRate: whole("sample-rate"),
    otherRates: options["resample"] === true ? "resample" : undefined,
    targets: options["reconstruct"] === true ? "inputs" : undefined,
    bad: options["skipBad"] === true ? "skip" : undefined,
  };
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const dataset = openDataset(path, stated as DatasetOptions);
  note(`${path}: ${dataset.layout}, ${dataset.examples.length} examples, ${dataset.classes.length} classes`);
  for (const warning of dataset.warnings) note(formatDiagnostic(warning));
  return dataset;
}

/** The front-end that was asked for, at the data's sample rate. */
function frontendOption(options: RawOptions, dataset: Dataset): Recipe | undefined {
  const text = textOption(options, "frontend");
  if (text === undefined) return undefined;
  const given = /^[{@]/.test(text) ? jsonOption(options, "frontend", '{"kind":"mfcc","mels":20}') : { kind: text };
  const rate = dataset.kind === "audio" && dataset.sampleRate !== null ? { sampleRate: dataset.sampleRate } : {};
  const recipe: object = { ...rate, ...(given as object) };
  const { kind } = given as { readonly kind?: unknown };
  if (soundKinds.some((k) => k === kind) && !("sampleRate" in recipe))
    fail("TH6003", {
      found: `--frontend ${String(kind)} with ${dataset.layout} (${dataset.kind})`,
      expected: "sound of a known rate",
      fix: "choose a front-end that goes with the data, or say the rate in the recipe",
    });
  return checkRecipe(recipe);
}

/** How the options say examples become inputs. */
export function preparationOption(options: RawOptions, dataset: Dataset): Preparation {
  const [normalization, frontend] = [normalizationOption(options, dataset), frontendOption(options, dataset)];
  if (normalization !== undefined && frontend !== undefined)
    fail("TH6003", { found: "--normalize with --frontend", expected: "one of them", fix: "leave out --normalize" });
  return { ...(normalization ? { normalization } : {}), ...(frontend ? { frontend } : {}) };
}

/** The normalization that was asked for, given the kind of data. */
function normalizationOption(options: RawOptions, dataset: Dataset): Normalization | undefined {
  const text = textOption(options, "normalize");
  if (text === undefined) return undefined;
  const full = { image: 255, audio: 32768, series: 1, tensor: 1 }[dataset.kind];
  if (text === "raw") return { offset: [0], scale: [1] };
  if (text === "0..1") return { offset: [0], scale: [1 / full] };
  if (text === "-1..1")
    return dataset.kind === "audio" ? { offset: [0], scale: [1 / full] } : { offset: [full / 2], scale: [2 / full] };
  const numbers = text.split(",").map(Number);
  const [offset, scale] = numbers;
  if (numbers.length === 2 && numbers.every(Number.isFinite) && offset !== undefined && scale)
    return { offset: [offset], scale: [scale] };
  return fail("TH6003", {
    found: `--normalize ${text}`,
    expected: "0..1, -1..1, raw, or two numbers OFFSET,SCALE, the scale not 0",
    fix: "see --help",
  });
}
