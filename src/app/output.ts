import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fail } from "../base/diagnostics.js";

const cannotWrite = (path: string, found: string): never =>
  fail("TH4002", { where: [path], found, fix: "give another place, or make this one writable" });

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The path itself, or the nearest folder above it that is there. */
function nearestExisting(path: string): string {
  let at = resolve(path);
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/**
 * Throws TH4002 where a file or folder cannot be written, or its folders not made. Asked before long work, so that hours
 * are not spent on what has no place.
 */
export function checkWritable(path: string, kind: "file" | "folder"): void {
  const at = nearestExisting(path);
  const isThere = at === resolve(path);
  const isFolder = statSync(at).isDirectory();
  if (isThere && kind === "file" && isFolder) cannotWrite(path, "a folder, not a file");
  if (!isFolder && (!isThere || kind === "folder")) cannotWrite(path, `${at} is a file, not a folder`);
  try {
    accessSync(at, constants.W_OK);
  } catch (error) {
    cannotWrite(path, reasonOf(error));
  }
}

/**
 * Writes a file beside its place and renames it, so that it is never half there; folders above it are made. What is no
 * plain file (a pipe, /dev/stdout) is written as it is. Throws TH4002.
 */
export function writeOutputFile(path: string, content: string | Uint8Array): void {
  checkWritable(path, "file");
  const isPlain = !existsSync(path) || statSync(path).isFile();
  const beside = isPlain ? `${path}.part` : path;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(beside, content);
    if (isPlain) renameSync(beside, path);
  } catch (error) {
    if (isPlain) rmSync(beside, { force: true });
    cannotWrite(path, reasonOf(error));
  }
}

/** The file by which an output folder is known to be Thimble's own, to be replaced by the next build. */
export const manifestName = "thimble.json";

/** Throws TH4002 if the folder cannot be written, or is not empty and was not written by an earlier build. */
export function checkReplaceable(folder: string): void {
  checkWritable(folder, "folder");
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder);
  if (entries.length === 0 || entries.includes(manifestName)) return;
  fail("TH4002", {
    where: [folder],
    found: "a folder with other files",
    expected: `a new or empty folder, or one with ${manifestName}`,
    fix: "give another --out",
  });
}

/**
 * Writes files into a new folder beside the target and moves it into place when all is there, so that an interruption
 * leaves either the old folder or the new one. Throws TH4002.
 */
export function writeFolder(folder: string, files: ReadonlyMap<string, string>): void {
  const target = resolve(folder);
  checkReplaceable(target);
  let staging: string | undefined;
  const discard = (): void => {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  };
  process.once("exit", discard);
  try {
    mkdirSync(dirname(target), { recursive: true });
    staging = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
    for (const [name, text] of files) {
      mkdirSync(dirname(join(staging, name)), { recursive: true });
      writeFileSync(join(staging, name), text);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } catch (error) {
    cannotWrite(folder, reasonOf(error));
  } finally {
    discard();
    process.removeListener("exit", discard);
  }
}
