import { createHash } from "node:crypto";
import type { Split } from "./dataset.js";
import type { FoundExample } from "./found.js";
import type { CheckedOptions, SplitRule } from "./options.js";

/** One less than the number of hash values that are told apart. Source: the Speech Commands README (Warden 2018). */
const maxHash = 2 ** 27 - 1;

/** A number in [0, 1] that follows from a name alone; what comes after `_nohash_` does not count. */
export function hashedUnit(name: string): number {
  const base = name.replace(/_nohash_.*$/, "");
  const digest = createHash("sha1").update(base).digest();
  // The 160-bit number modulo 2^27 is in its last 27 bits.
  return (digest.readUInt32BE(16) & maxHash) / maxHash;
}

/** The split of a name: validation comes first, then test, then training, as in the Speech Commands data set. */
export function hashedSplit(name: string, validation: number, test: number): Split {
  const unit = hashedUnit(name);
  return unit < validation ? "validation" : unit < validation + test ? "test" : "train";
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const inRange = (n: number | null, range: readonly [number, number] | undefined): boolean =>
  n !== null && range !== undefined && n >= range[0] && n <= range[1];

function ruled(example: FoundExample, rule: SplitRule): Split {
  switch (rule.kind) {
    case "hash": {
      const key = rule.by === "group" ? (example.group ?? example.name) : baseName(example.name);
      return hashedSplit(key, rule.validation, rule.test);
    }
    case "index":
      return inRange(example.order, rule.test)
        ? "test"
        : inRange(example.order, rule.validation)
          ? "validation"
          : "train";
    case "lists":
      return example.split ?? "train";
    default:
      return rule satisfies never;
  }
}

/**
 * The split of every example: by the rule if one is given, else as folders and lists say, else by hash. Where those name
 * no validation set, part of the training examples, by hash, is one.
 */
export function decideSplits(examples: readonly FoundExample[], options: CheckedOptions): readonly Split[] {
  const given = examples.some((e) => e.split !== null);
  const rule: SplitRule | null =
    options.split ?? (given ? null : { kind: "hash", validation: options.validation, test: 0.1, by: "name" });
  const decided = examples.map((e) => (rule === null ? (e.split ?? "train") : ruled(e, rule)));
  if (decided.includes("validation") || rule?.kind === "hash") return decided;
  return decided.map((split, i) => {
    const name = examples[i]?.name ?? "";
    return split === "train" && hashedUnit(baseName(name)) < options.validation ? "validation" : split;
  });
}
