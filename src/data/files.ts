import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fail } from "../base/diagnostics.js";
import type { DatasetFile } from "./dataset.js";

/** A compressed file is unpacked into memory that all threads share, up to this size. */
const maxUnpackedBytes = 2 ** 30;

/** Files kept open for reading parts of them. */
const maxOpenFiles = 32;

const unreadable = (path: string, error: unknown): never =>
  fail("TH6001", {
    where: [path],
    found: error instanceof Error ? error.message : String(error),
    fix: "check the path and its permissions",
  });

/** All files under a folder, or the file itself; relative paths with `/`, sorted, hidden ones left out. */
export function listFiles(root: string): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (folder: string, prefix: string): void => {
    const real = realpathSync(folder);
    if (seen.has(real)) return;
    seen.add(real);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const stats = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
      if (stats?.isDirectory()) visit(path, `${prefix}${entry.name}/`);
      else if (stats?.isFile()) found.push(prefix + entry.name);
    }
  };
  try {
    if (statSync(root).isFile()) return [""];
    visit(root, "");
  } catch (error) {
    return unreadable(root, error);
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** All folders under a folder that hold no file, directly or further down: classes that someone forgot to fill. */
export function emptyFolders(root: string): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string, prefix: string, depth: number): boolean => {
    let isEmpty = true;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const isFolder = entry.isDirectory() && depth < 16;
      if (!isFolder || !visit(join(folder, entry.name), `${prefix}${entry.name}/`, depth + 1)) isEmpty = false;
    }
    if (isEmpty && prefix !== "") found.push(prefix.slice(0, -1));
    return isEmpty;
  };
  if (statSync(root).isDirectory()) visit(root, "", 0);
  return found;
}

const open = new Map<string, number>();

/** A descriptor of the file, kept open with those last used. */
function descriptorOf(path: string): number {
  let descriptor = open.get(path);
  open.delete(path);
  if (descriptor === undefined) {
    descriptor = openSync(path, "r");
    const [oldest] = open.keys();
    if (open.size >= maxOpenFiles && oldest !== undefined) {
      closeSync(open.get(oldest) as number);
      open.delete(oldest);
    }
  }
  open.set(path, descriptor);
  return descriptor;
}

/** The bytes of a whole file. Throws TH6001. */
export function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    return unreadable(path, error);
  }
}

/** The first bytes of a file, fewer if it is shorter. Throws TH6001. */
export function readStart(path: string, bytes: number): Uint8Array {
  try {
    const buffer = new Uint8Array(bytes);
    return buffer.subarray(0, readSync(descriptorOf(path), buffer, 0, bytes, 0));
  } catch (error) {
    return unreadable(path, error);
  }
}

/** The size of a file in bytes. Throws TH6001. */
export function sizeOf(path: string): number {
  try {
    return fstatSync(descriptorOf(path)).size;
  } catch (error) {
    return unreadable(path, error);
  }
}

/** A range of a file, or of its unpacked contents. Throws TH6001, and TH6011 if the file has become shorter. */
export function readRange(file: DatasetFile, offset: number, bytes: number): Uint8Array {
  if (file.shared !== null) return new Uint8Array(file.shared, offset, bytes);
  const buffer = new Uint8Array(bytes);
  let done = 0;
  try {
    const descriptor = descriptorOf(file.path);
    while (done < bytes) {
      const count = readSync(descriptor, buffer, done, bytes - done, offset + done);
      if (count === 0) break;
      done += count;
    }
  } catch (error) {
    return unreadable(file.path, error);
  }
  if (done < bytes) {
    fail("TH6011", {
      where: [file.path],
      found: `${offset + done} bytes`,
      expected: `at least ${offset + bytes}`,
      fix: "replace the file, or open the data set again if it is meant to have changed",
    });
  }
  return buffer;
}

/** Bytes as memory that threads share. */
export function shareBytes(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return shared;
}

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Unpacks a gzip file. Throws TH6011 for a damaged one, and for one of more than 1 GiB. */
export function unpackGzip(path: string): Uint8Array {
  try {
    return gunzipSync(readWhole(path), { maxOutputLength: maxUnpackedBytes });
  } catch (error) {
    return fail("TH6011", {
      where: [path],
      found: error instanceof Error ? error.message : String(error),
      expected: "a gzip file of at most 1 GiB unpacked",
      fix: "replace it; unpack larger ones with gunzip and give those",
    });
  }
}
