import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fail } from "../base/diagnostics.js";

/** A training between two steps. */
export interface Checkpoint {
  /** What the training is of; another's checkpoint is refused. */
  readonly fingerprint: string;
  /** Steps done. */
  readonly step: number;
  /** Anything that is JSON: history, the best so far. */
  readonly notes: unknown;
  readonly vectors: Readonly<Record<string, Float32Array>>;
}

const magic = "THIMBLE-CHECKPOINT-1\n";

interface Header {
  readonly fingerprint: string;
  readonly step: number;
  readonly notes: unknown;
  readonly vectors: readonly (readonly [name: string, length: number])[];
}

/** Writes beside the file, then renames: a training that is cut off leaves the last whole checkpoint. */
export function writeCheckpoint(path: string, { vectors, ...rest }: Checkpoint): void {
  const header: Header = { ...rest, vectors: Object.entries(vectors).map(([name, data]) => [name, data.length]) };
  const text = Buffer.from(`${JSON.stringify(header)}\n`);
  const data = Object.values(vectors).map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, Buffer.concat([Buffer.from(magic), text, ...data]));
  renameSync(`${path}.part`, path);
}

const damaged = (path: string, found: string): never =>
  fail("TH6001", {
    message: "the checkpoint cannot be read",
    where: [path],
    found,
    fix: "start the training anew, or give the checkpoint of an earlier step",
  });

/** Reads a checkpoint; throws TH6001 for a file that is none, is cut off, or is of another training. */
export function readCheckpoint(path: string, fingerprint: string): Checkpoint {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return damaged(path, String(error));
  }
  const end = bytes.indexOf(10, magic.length);
  if (end < 0 || bytes.toString("latin1", 0, magic.length) !== magic) return damaged(path, "not a checkpoint");
  let header: Header;
  try {
    header = JSON.parse(bytes.toString("utf8", magic.length, end)) as Header;
  } catch {
    return damaged(path, "a damaged header");
  }
  if (header.fingerprint !== fingerprint) return damaged(path, "a checkpoint of another network or other options");
  const vectors: Record<string, Float32Array> = {};
  let at = end + 1;
  for (const [name, length] of header.vectors) {
    if (at + 4 * length > bytes.length) return damaged(path, "a file that is cut off");
    vectors[name] = new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * length));
    at += 4 * length;
  }
  return { fingerprint, step: header.step, notes: header.notes, vectors };
}
