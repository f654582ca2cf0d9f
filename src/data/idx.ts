import { join } from "node:path";
import { fail } from "../base/diagnostics.js";
import type { DatasetFile, ElementType, SampleKind, Split } from "./dataset.js";
import { isGzip, readRange, readStart, shareBytes, sizeOf, unpackGzip } from "./files.js";
import type { Found, FoundExample } from "./found.js";
import { orBad, type Problems } from "./problems.js";

/** Element types by the third byte of an IDX file. Source: LeCun, The MNIST database, "The IDX file format". */
const elements: Readonly<Record<number, readonly [type: ElementType, bytes: number]>> = {
  8: ["uint8", 1],
  9: ["int8", 1],
  11: ["int16", 2],
  12: ["int32", 4],
  13: ["float32", 4],
  14: ["float64", 8],
};

interface IdxFile {
  readonly file: DatasetFile;
  readonly name: string;
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly itemBytes: number;
}

export const isIdx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0 &&
  bytes[1] === 0 &&
  elements[bytes[2] ?? 0] !== undefined &&
  (bytes[3] ?? 0) > 0 &&
  (bytes[3] ?? 9) < 5;

function openIdx(root: string, name: string): IdxFile {
  const path = join(root, name);
  const packed = isGzip(readStart(path, 2));
  const file: DatasetFile = { path, shared: packed ? shareBytes(unpackGzip(path)) : null };
  const total = file.shared?.byteLength ?? sizeOf(path);
  const head = readRange(file, 0, Math.min(total, 20));
  const rank = head[3] ?? 0;
  const type = elements[head[2] ?? 0];
  const corrupt = (found: string): never =>
    fail("TH6011", { where: [path], found, expected: "a complete IDX file", fix: "download the file again" });
  if (!isIdx(head) || type === undefined || head.length < 4 + 4 * rank) return corrupt("no IDX header");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const itemBytes = shape.slice(1).reduce((product, n) => product * n, type[1]);
  const start = 4 + 4 * rank;
  const needed = start + itemBytes * (shape[0] ?? 0);
  if (needed !== total) return corrupt(`${total} bytes where its header says ${needed}`);
  return { file, name, element: type[0], shape, start, itemBytes };
}

const splitOf = (name: string): Split =>
  /t10k|test/i.test(name) ? "test" : /val/i.test(name) ? "validation" : "train";

/** `train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte` belong together by what is left without these words. */
const stemOf = (name: string): string =>
  name.replace(/\.gz$/i, "").replace(/images|labels|[-.]?idx\d([-.]?u?byte)?/gi, "");

function examplesOf(images: IdxFile, labels: IdxFile, file: number): readonly FoundExample[] {
  const values = readRange(labels.file, labels.start, labels.itemBytes * (labels.shape[0] ?? 0));
  const [stem, split] = [stemOf(images.name).replace(/^-+|-+$/g, ""), splitOf(images.name)];
  return Array.from({ length: images.shape[0] ?? 0 }, (_, i) => ({
    name: `${stem}/${i}`,
    label: String(values[i]),
    split,
    group: null,
    order: i,
    file,
    offset: images.start + i * images.itemBytes,
    bytes: images.itemBytes,
  }));
}

function pairUp(images: IdxFile, all: readonly IdxFile[], problems: Problems): IdxFile | null {
  const labels = all.find((f) => f.shape.length === 1 && stemOf(f.name) === stemOf(images.name));
  if (labels === undefined || labels.element !== "uint8") {
    problems.bad("TH6015", {
      where: [images.file.path],
      message: "there are no labels for these images",
      expected: "a file of the same name with labels and idx1 in it, of bytes",
      fix: "put the labels' file beside it",
    });
    return null;
  }
  if (labels.shape[0] === images.shape[0]) return labels;
  problems.bad("TH6013", {
    where: [labels.file.path],
    found: `${labels.shape[0]} labels`,
    expected: `${images.shape[0]}, as many as images`,
    fix: "put the labels' file that belongs to the images beside them",
  });
  return null;
}

/**
 * Scans IDX files, gzipped or not: every file of two or more axes holds examples, the one-axis file of the same name
 * their labels. Values stay in the files; those of gzipped ones are unpacked into shared memory.
 */
export function scanIdx(root: string, names: readonly string[], problems: Problems): Found {
  const all = names.flatMap((name) => orBad(problems, () => openIdx(root, name)) ?? []);
  const pairs = all.flatMap((images) => {
    const labels = images.shape.length > 1 ? pairUp(images, all, problems) : null;
    return labels === null ? [] : [{ images, labels }];
  });
  const [first] = pairs;
  const itemShape = first?.images.shape.slice(1) ?? [];
  for (const { images } of pairs) {
    if (images.shape.slice(1).join() === itemShape.join() && images.element === first?.images.element) continue;
    problems.bad("TH6013", {
      where: [images.file.path],
      found: `${images.element} [${images.shape.slice(1)}]`,
      expected: `${first?.images.element} [${itemShape}], as in ${first?.images.name}`,
      fix: "give files of one shape",
    });
  }
  const isImage = first?.images.element === "uint8" && (itemShape.length === 2 || itemShape.length === 3);
  const kind: SampleKind = isImage ? "image" : "tensor";
  return {
    layout: "IDX files with a file of labels each",
    kind,
    encoding: { format: "raw", element: first?.images.element ?? "uint8", bigEndian: true },
    files: pairs.map(({ images }) => images.file),
    examples: pairs.flatMap(({ images, labels }, i) => examplesOf(images, labels, i)),
    shape: isImage && itemShape.length === 2 ? [...itemShape, 1] : itemShape,
    sampleRate: null,
    columns: [],
    targets: null,
  };
}
