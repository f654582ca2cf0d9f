import { decodeAcquisition } from "./acquisition.js";
import type { DatasetFile } from "./dataset.js";
import { readWhole, shareBytes } from "./files.js";
import type { Found, FoundExample } from "./found.js";
import type { CheckedOptions } from "./options.js";
import { orBad, type Problems } from "./problems.js";

/** Divides rows into windows; without a window they are one. Rows after the last whole window are left out. */
export function windowsOf(
  total: number,
  window: number | null,
  hop: number,
): readonly { readonly first: number; readonly rows: number }[] {
  if (window === null) return [{ first: 0, rows: total }];
  const count = Math.max(0, Math.floor((total - window) / hop) + 1);
  return Array.from({ length: count }, (_, i) => ({ first: i * hop, rows: window }));
}

/** Says which recordings are too short for a window: nothing is left out silently. */
export function warnOfShort(root: string, names: readonly string[], window: number, problems: Problems): void {
  if (names.length === 0) return;
  problems.warn("TH6017", {
    where: [root],
    message: "recordings shorter than the window were left out",
    found: `${names.length}, such as ${names[0]}`,
    expected: `at least ${window} rows`,
    fix: "choose a shorter window, or `length` to fill them with zeros",
  });
}

const floatBytes = Float32Array.BYTES_PER_ELEMENT;

/**
 * Divides recordings, each a file whose values come as text or CBOR, into windows. Decoding a file for each of its windows
 * would take their number times as long, so values are kept as float32, in memory that worker threads share. Windows of one
 * recording hash alike: none of them is tested by what another one was trained on.
 */
export function recordingsInWindows(root: string, found: Found, options: CheckedOptions, problems: Problems): Found {
  const { window, hop = window } = options;
  if (window === undefined || hop === undefined || found.encoding.format !== "acquisition") return found;
  const files: DatasetFile[] = [];
  const examples: FoundExample[] = [];
  const short: string[] = [];
  let rate: number | null = options.sampleRate ?? null;
  for (const example of found.examples) {
    const path = found.files[example.file]?.path ?? example.name;
    const recording = orBad(problems, () => decodeAcquisition(readWhole(path), path));
    if (recording === null) continue;
    rate ??= recording.sampleRate;
    const isLike = recording.columns.join() === found.columns.join() && recording.sampleRate === rate;
    if (!isLike) {
      problems.bad("TH6013", {
        where: [path],
        message: "a recording is not like the others",
        found: `${recording.columns.join(", ")} at ${recording.sampleRate} Hz`,
        expected: `${found.columns.join(", ")} at ${rate} Hz`,
        fix: "convert it, or leave it out",
      });
      continue;
    }
    const values = Float32Array.from(recording.data);
    const rowBytes = floatBytes * found.columns.length;
    const windows = windowsOf(values.byteLength / rowBytes, window, hop);
    if (windows.length === 0) short.push(example.name);
    for (const { first, rows } of windows)
      examples.push({
        ...example,
        name: `${example.name}_nohash_${first}`,
        group: example.group ?? example.name,
        file: files.length,
        offset: first * rowBytes,
        bytes: rows * rowBytes,
      });
    files.push({ path, shared: shareBytes(new Uint8Array(values.buffer)) });
  }
  warnOfShort(root, short, window, problems);
  return {
    ...found,
    layout: `${found.layout}, in windows`,
    encoding: { format: "raw", element: "float32", bigEndian: false },
    files,
    examples,
    shape: [window, found.columns.length],
    sampleRate: rate,
  };
}
