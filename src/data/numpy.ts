import { join } from "node:path";
import { unzipSync } from "fflate";
import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { readNpyHeader } from "../base/npy.js";
import type { DatasetFile, ElementType, SampleKind, Split } from "./dataset.js";
import { readRange, readStart, readWhole, shareBytes, sizeOf } from "./files.js";
import type { Found, FoundExample } from "./found.js";
import { orBad, type Problems } from "./problems.js";
import { decodeRaw, elementTypes } from "./raw.js";

/** Unpacked size of all members of an archive. */
const maxUnpackedBytes = 2 ** 30;

const descriptors: Readonly<Record<string, ElementType>> = {
  "|u1": "uint8",
  "|b1": "uint8",
  "|i1": "int8",
  "<i2": "int16",
  "<i4": "int32",
  "<i8": "int64",
  "<f2": "float16",
  "<f4": "float32",
  "<f8": "float64",
};

/** A named array: a .npy file, or a member of a .npz file. */
interface NamedArray {
  readonly name: string;
  readonly where: string;
  readonly file: DatasetFile;
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly start: number;
}

function arrayOf(name: string, where: string, file: DatasetFile, total: number): NamedArray {
  const { descr, shape, start } = readNpyHeader(readRange(file, 0, Math.min(total, 4096)), where);
  const element = descriptors[descr];
  if (element === undefined) {
    return fail("TH6012", {
      where: [where],
      found: `element type ${descr}`,
      expected: Object.keys(descriptors).join(", "),
      fix: "save it with numpy.save(path, array.astype(...))",
    });
  }
  const needed = start + elementsOf(shape) * elementTypes[element].bytes;
  if (!(needed <= total)) {
    return fail("TH6011", {
      where: [where],
      found: `${total} bytes`,
      expected: `${needed} for (${shape.join(", ")})`,
      fix: "save it again",
    });
  }
  return { name, where, file, element, shape, start };
}

function membersOf(path: string): readonly NamedArray[] {
  const bytes = readWhole(path);
  let total = 0;
  const unpack = (): Record<string, Uint8Array> => {
    try {
      return unzipSync(bytes, {
        filter: ({ name, originalSize }) => {
          total += originalSize;
          return name.endsWith(".npy") && total <= maxUnpackedBytes;
        },
      });
    } catch (error) {
      return fail("TH6011", {
        where: [path],
        found: error instanceof Error ? error.message : String(error),
        expected: "a .npz file",
        fix: "save it again with numpy.savez",
      });
    }
  };
  const members = Object.entries(unpack());
  if (total > maxUnpackedBytes) {
    fail("TH6012", {
      where: [path],
      found: `${total} bytes unpacked`,
      expected: `at most ${maxUnpackedBytes}`,
      fix: "save the arrays with numpy.save as .npy files, which are read in parts",
    });
  }
  return members.map(([name, data]) =>
    arrayOf(name.replace(/\.npy$/, ""), `${path} > ${name}`, { path, shared: shareBytes(data) }, data.length),
  );
}

const splitWords: Readonly<Record<string, Split>> = {
  train: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  test: "test",
};

interface Role {
  readonly role: "values" | "labels" | "other";
  readonly split: Split | null;
}

/** `x_train`, `test_labels`, `data`: what an array is by its name. */
function roleOf(name: string): Role {
  const words = (name.split("/").at(-1) ?? "").toLowerCase().split(/[_\-.]/);
  const split = words.map((w) => splitWords[w]).find((s) => s !== undefined) ?? null;
  const rest = words.filter((w) => splitWords[w] === undefined);
  const [word = ""] = rest;
  const isOne = rest.length === 1;
  if (isOne && ["x", "data", "images", "features", "inputs", "samples", "values"].includes(word))
    return { role: "values", split };
  if (isOne && ["y", "labels", "label", "targets", "target", "classes"].includes(word))
    return { role: "labels", split };
  return { role: "other", split };
}

const isWhole = (element: ElementType): boolean => !element.startsWith("float");

function kindOf(x: NamedArray): SampleKind {
  const rank = x.shape.length;
  if (x.element === "uint8" && rank >= 3 && rank <= 4) return "image";
  if (x.element === "int16" && rank === 2) return "audio";
  return !isWhole(x.element) && rank === 3 ? "series" : "tensor";
}

interface Pair {
  readonly x: NamedArray;
  readonly y: NamedArray;
  readonly split: Split | null;
}

function pairsOf(arrays: readonly NamedArray[], problems: Problems): readonly Pair[] {
  const roles = arrays.map((array) => ({ array, ...roleOf(array.name) }));
  return roles.flatMap(({ array: x, role, split }) => {
    if (role !== "values") return [];
    const y = roles.find((r) => r.role === "labels" && r.split === split)?.array;
    const labels = y === undefined ? "none" : `(${y.shape.join(", ")})`;
    if (y !== undefined && y.shape[0] === x.shape[0] && (x.shape[0] ?? 0) > 0) return [{ x, y, split }];
    problems.bad("TH6015", {
      where: [x.where],
      message: "an array of examples has no labels that belong to it",
      found: labels,
      expected: `an array y of ${x.shape[0]} along its first axis`,
      fix: "save x and y, or x_train, y_train, x_test and y_test",
    });
    return [];
  });
}

const valuesOf = ({ file, start, shape, element }: NamedArray): ArrayLike<number> =>
  decodeRaw(readRange(file, start, elementsOf(shape) * elementTypes[element].bytes), { element, bigEndian: false });

function examplesOf({ x, y, split }: Pair, file: number): readonly FoundExample[] {
  const bytes = elementsOf(x.shape.slice(1)) * elementTypes[x.element].bytes;
  const isClasses = isWhole(y.element) && elementsOf(y.shape) === y.shape[0];
  const labels = isClasses ? valuesOf(y) : null;
  return Array.from({ length: x.shape[0] ?? 0 }, (_, i) => ({
    name: `${x.name}/${i}`,
    label: labels === null ? null : String(labels[i]),
    split,
    group: null,
    order: i,
    file,
    offset: x.start + i * bytes,
    bytes,
  }));
}

/**
 * Scans NumPy files: arrays x and y, or x_train, y_train, x_test, y_test, in .npy files or members of a .npz file. Whole
 * numbers in y are classes, anything else targets.
 */
export function scanNumpy(root: string, names: readonly string[], problems: Problems): Found {
  const badBefore = problems.badCount();
  const arrays = names.flatMap((name): readonly NamedArray[] => {
    const path = join(root, name);
    const [first] = readStart(path, 1);
    const read = (): readonly NamedArray[] =>
      first === 0x50
        ? membersOf(path)
        : [arrayOf(name.replace(/\.npy$/, ""), path, { path, shared: null }, sizeOf(path))];
    return orBad(problems, read) ?? [];
  });
  const pairs = pairsOf(arrays, problems);
  const [first] = pairs;
  for (const { x } of pairs) {
    if (
      first === undefined ||
      (x.element === first.x.element && String(x.shape.slice(1)) === String(first.x.shape.slice(1)))
    )
      continue;
    problems.bad("TH6013", {
      where: [x.where],
      found: `${x.element} (${x.shape.join(", ")})`,
      expected: `${first.x.element} (*, ${first.x.shape.slice(1).join(", ")})`,
      fix: "save arrays of one element type and shape",
    });
  }
  if (first === undefined && problems.badCount() === badBefore) {
    problems.bad("TH6010", {
      where: [root],
      found: `arrays ${arrays.map((a) => a.name).join(", ")}`,
      expected: "x and y, or x_train, y_train, x_test and y_test",
      fix: "name the arrays so",
    });
  }
  const examples = pairs.flatMap((pair, i) => examplesOf(pair, i));
  const isTargets = examples.some((e) => e.label === null);
  const itemShape = first?.x.shape.slice(1) ?? [];
  const kind = first === undefined ? "tensor" : kindOf(first.x);
  const targets = isTargets ? Float32Array.from(pairs.flatMap(({ y }) => Array.from(valuesOf(y)))) : null;
  return {
    layout: "NumPy arrays of examples and labels",
    kind,
    encoding: { format: "raw", element: first?.x.element ?? "float32", bigEndian: false },
    files: pairs.map(({ x }) => x.file),
    examples,
    shape: kind === "image" && itemShape.length === 2 ? [...itemShape, 1] : itemShape,
    sampleRate: null,
    columns: [],
    targets: targets === null ? null : { shape: first?.y.shape.slice(1) ?? [], data: targets },
  };
}
