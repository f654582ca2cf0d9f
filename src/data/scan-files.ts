import { join } from "node:path";
import { decodeAcquisition, type LabelEntry, readInfoLabels } from "./acquisition.js";
import type { Encoding, SampleKind, Split } from "./dataset.js";
import { readWhole, sizeOf } from "./files.js";
import type { Found, FoundExample } from "./found.js";
import { type LabelRule, labelRuleOf } from "./labels.js";
import type { CheckedOptions, SplitRule } from "./options.js";
import { orBad, type Problems } from "./problems.js";

/** Formats of which a file holds one example. */
export type FileFormat = "image" | "wav" | "acquisition";

/** The label file of a data set, if it has one. */
function infoLabels(
  root: string,
  others: readonly string[],
  problems: Problems,
): ReadonlyMap<string, LabelEntry> | null {
  const name = others.find((n) => /(^|\/)info\.labels$/.test(n));
  if (name === undefined) return null;
  const path = join(root, name);
  const folder = name.slice(0, -"info.labels".length);
  const entries = orBad(problems, () => readInfoLabels(readWhole(path), path)) ?? [];
  return new Map(entries.map((entry) => [folder + entry.path, entry]));
}

/** Reports labels of files that are not there, and files without a label. */
function checkEntries(
  root: string,
  entries: ReadonlyMap<string, LabelEntry>,
  names: readonly string[],
  problems: Problems,
): void {
  const there = new Set(names);
  for (const path of entries.keys()) {
    if (there.has(path)) continue;
    problems.bad("TH6015", {
      where: [join(root, "info.labels"), path],
      message: "a label refers to a file that does not exist",
      fix: "restore the file, or export the data set again",
    });
  }
  for (const name of names) {
    if (entries.get(name)?.label) continue;
    problems.bad("TH6015", {
      where: [join(root, name)],
      message: "a file has no label",
      expected: "an entry of info.labels",
      fix: "label it, or move it away",
    });
  }
}

/** Splits that lists of paths give; a line that names no file is reported with its number. */
function listedSplits(
  root: string,
  rule: Extract<SplitRule, { kind: "lists" }>,
  names: readonly string[],
  problems: Problems,
): ReadonlyMap<string, Split> {
  const there = new Set(names);
  const listed = new Map<string, Split>();
  for (const [split, list] of [
    ["validation", rule.validation],
    ["test", rule.test],
  ] as const) {
    const path = join(root, list);
    const text = orBad(problems, () => new TextDecoder().decode(readWhole(path))) ?? "";
    text.split(/\r?\n/).forEach((line, i) => {
      const name = line.trim();
      if (name === "") return;
      if (there.has(name)) listed.set(name, split);
      else {
        problems.bad("TH6015", {
          where: [path, `line ${i + 1}`],
          message: "a list names a file that does not exist",
          found: name,
          fix: "restore the file, or correct the list",
        });
      }
    });
  }
  return listed;
}

/** The lists that decide, because the caller says so or because they lie there and nothing else is said. */
export function listsOf(
  others: readonly string[],
  options: CheckedOptions,
): Extract<SplitRule, { kind: "lists" }> | null {
  if (options.split !== undefined) return options.split.kind === "lists" ? options.split : null;
  const usual = { kind: "lists", validation: "validation_list.txt", test: "testing_list.txt" } as const;
  return others.includes(usual.validation) && others.includes(usual.test) ? usual : null;
}

const kinds: Readonly<Record<FileFormat, readonly [kind: SampleKind, words: string]>> = {
  image: ["image", "images"],
  wav: ["audio", "WAV files"],
  acquisition: ["series", "recordings of the acquisition format"],
};

function encodingOf(format: FileFormat, options: CheckedOptions): Encoding {
  if (format !== "image") return { format };
  const size = options.image;
  if (size === undefined) return { format, size: null };
  const { height, width, channels } = size;
  return { format, size: channels === undefined ? { height, width } : { height, width, channels } };
}

/** Where the first file says what all files are: names of columns, sound or series. */
function acquisitionFacts(root: string, names: readonly string[]) {
  for (const name of names) {
    try {
      const { kind, columns } = decodeAcquisition(readWhole(join(root, name)), name);
      return { kind, columns };
    } catch {
      // It is reported when every file is looked at.
    }
  }
  return { kind: "series" as const, columns: [] };
}

/** Scans files that hold one example each. @param others names of files that are none, such as lists */
export function scanFiles(
  root: string,
  names: readonly string[],
  others: readonly string[],
  format: FileFormat,
  options: CheckedOptions,
  problems: Problems,
): Found {
  const entries = infoLabels(root, others, problems);
  if (entries !== null) checkEntries(root, entries, names, problems);
  const rule = entries === null ? labelRuleOf(names, options.pattern, "no", problems) : null;
  if (entries === null && rule === null) {
    problems.bad("TH6010", {
      where: [root],
      found: `${names.length} ${kinds[format][1]} in one folder, whose names do not tell classes`,
      expected: "a folder for each class, or names such as label_1.wav",
      fix: "sort them into folders, or say what the names hold with `pattern`",
    });
  }
  const lists = listsOf(others, options);
  const listed = lists === null ? null : listedSplits(root, lists, names, problems);
  const facts = format === "acquisition" ? acquisitionFacts(root, names) : { kind: kinds[format][0], columns: [] };
  const examples = names.flatMap((name, file): readonly FoundExample[] => {
    const bytes = orBad(problems, () => sizeOf(join(root, name)));
    const found = factsOf(name, entries, rule);
    const split = listed === null ? found.split : (listed.get(name) ?? "train");
    if (bytes === null) return [];
    // A file beside folders of classes belongs to none of them.
    if (rule !== null && found.label === null && options.pattern === undefined) {
      problems.bad("TH6015", {
        where: [join(root, name)],
        message: "a file has no label",
        expected: rule.words,
        fix: "move it into its class's folder, or away",
      });
    }
    return found.label === null ? [] : [{ ...found, name, split, file, offset: 0, bytes }];
  });
  return {
    layout: `${kinds[format][1]}, ${entries === null ? (rule?.words ?? "no labels") : "labels in info.labels"}`,
    kind: facts.kind,
    encoding: encodingOf(format, options),
    files: names.map((name) => ({ path: join(root, name), shared: null })),
    examples,
    shape: null,
    sampleRate: null,
    columns: facts.columns,
    targets: null,
  };
}

function factsOf(name: string, entries: ReadonlyMap<string, LabelEntry> | null, rule: LabelRule | null) {
  if (entries === null) return rule?.of(name) ?? { label: null, split: null, group: null, order: null };
  const entry = entries.get(name);
  return { label: entry?.label ?? null, split: entry?.split ?? null, group: null, order: null };
}
