import { fail } from "../base/diagnostics.js";
import { type Split, splits } from "./dataset.js";
import type { Problems } from "./problems.js";

/** What the path of a file says of the example in it. */
export interface PathFacts {
  readonly label: string | null;
  readonly split: Split | null;
  readonly group: string | null;
  readonly order: number | null;
}

/** Names of folders that say to which split their files belong. */
const splitFolders: Readonly<Record<string, Split>> = {
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  test: "test",
  testing: "test",
};

const fields = ["label", "group", "index", "split"] as const;

/** A pattern such as `{label}_{group}_{index}` as a regular expression over names without their extension. */
export function compilePattern(pattern: string): RegExp {
  const parts = pattern.split(/(\{[^}]*\})/);
  const reject = (found: string): never =>
    fail("TH6003", {
      where: ["data set options", "pattern"],
      found,
      expected: "{label}, {group}, {index}, {split} once each, and {...} for anything",
      fix: "name the parts of the files' names, for example {label}_{group}_{index}",
    });
  const used = new Set<string>();
  const source = parts.map((part) => {
    const name = /^\{(.*)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
    if (name === "...") return ".*";
    const known = fields.find((f) => f === name);
    if (known === undefined || used.has(name)) return reject(part);
    used.add(name);
    return known === "index" ? "(?<index>\\d+)" : `(?<${known}>[^/]+?)`;
  });
  if (!used.has("label")) return reject(pattern);
  return new RegExp(`^${source.join("")}$`);
}

const withoutExtension = (path: string): string => path.replace(/\.[^./]+$/, "");

/** The split that the first folder of a path names, and the path without that folder. */
function leadingSplit(path: string): { readonly split: Split | null; readonly rest: string } {
  const slash = path.indexOf("/");
  const split = slash < 0 ? undefined : splitFolders[path.slice(0, slash).toLowerCase()];
  return split === undefined ? { split: null, rest: path } : { split, rest: path.slice(slash + 1) };
}

/** `yes/0a7c2a8d_nohash_0.wav` as the Speech Commands data set names speakers. */
const speakerOf = (rest: string): string | null => /([^/]+)_nohash_\d+$/.exec(rest)?.[1] ?? null;

/** How labels are told from paths, decided once for all files. */
export interface LabelRule {
  readonly words: string;
  readonly of: (path: string) => PathFacts;
}

/** Facts by a pattern over the last parts of the path, as many as the pattern has. */
function byPattern(pattern: string, problems: Problems): LabelRule {
  const regex = compilePattern(pattern);
  const depth = pattern.split("/").length;
  return {
    words: `names ${pattern}`,
    of: (path) => {
      const { split, rest } = leadingSplit(path);
      const name = withoutExtension(rest).split("/").slice(-depth).join("/");
      const groups = regex.exec(name)?.groups;
      if (groups === undefined) {
        problems.bad("TH6015", {
          where: [path],
          message: "the name of a file does not fit the pattern",
          expected: pattern,
          fix: "correct the pattern, or move the file away",
        });
      }
      const named = splits.find((s) => s === splitFolders[groups?.["split"]?.toLowerCase() ?? ""]);
      const index = groups?.["index"];
      return {
        label: groups?.["label"] ?? null,
        split: named ?? split,
        group: groups?.["group"] ?? null,
        order: index === undefined ? null : Number(index),
      };
    },
  };
}

const byFolder: LabelRule = {
  words: "a folder for each class",
  of: (path) => {
    const { split, rest } = leadingSplit(path);
    const slash = rest.indexOf("/");
    return {
      label: slash < 0 ? null : rest.slice(0, slash),
      split,
      group: speakerOf(withoutExtension(rest)),
      order: null,
    };
  },
};

const byWholeName: LabelRule = {
  words: "a file for each class",
  of: (path) => {
    const { split, rest } = leadingSplit(path);
    return { label: withoutExtension(rest), split, group: null, order: null };
  },
};

/**
 * How the labels of these files are to be told: by the pattern if there is one; by folders if every file lies in one;
 * else by the part of the name before its first `_` (or `.`), if all have one. Null where none of this holds.
 * @param several "yes" if one file may hold all examples of a class, as tables do
 */
export function labelRuleOf(
  paths: readonly string[],
  pattern: string | undefined,
  several: "yes" | "no",
  problems: Problems,
): LabelRule | null {
  if (pattern !== undefined) return byPattern(pattern, problems);
  const rests = paths.map((p) => leadingSplit(p).rest);
  if (rests.every((p) => p.includes("/"))) return byFolder;
  if (several === "yes") return byWholeName;
  const flat = rests.filter((p) => !p.includes("/"));
  if (flat.length < rests.length) return byFolder;
  const separator = ["_", "."].find((s) => rests.every((p) => withoutExtension(p).indexOf(s) > 0));
  return separator === undefined ? null : byPattern(`{label}${separator}{...}`, problems);
}
