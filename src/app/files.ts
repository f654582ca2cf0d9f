import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fail } from "../base/diagnostics.js";
import { importText } from "../formats/text.js";
import { importTflite } from "../formats/tflite/import.js";
import type { Model } from "../ops/index.js";

/** Larger than any model that a microcontroller could hold, by far. */
const maxFileBytes = 2 ** 28;

/** A file's bytes. Throws TH6001 with the reason it cannot be read. */
export function readInputFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return fail("TH6001", {
      where: [path],
      found: reason === "ENOENT" ? "no such file" : reason,
      fix: "check the path and its permissions",
    });
  }
}

/** Reads a model file: TensorFlow Lite, or Thimble's own text form. Throws all diagnostics of it. */
export function loadModel(path: string): Model {
  const bytes = readInputFile(path);
  const file = basename(path);
  if (bytes.length > maxFileBytes)
    fail("TH1010", {
      where: [file],
      found: `${bytes.length} bytes`,
      expected: `at most ${maxFileBytes}`,
      fix: "give a model meant for a microcontroller",
    });
  const name = file.replace(/\.[^.]*$/, "");
  const isText = new TextDecoder("latin1").decode(bytes.subarray(0, 6)) === "graph ";
  return isText ? importText(new TextDecoder().decode(bytes), name, file) : importTflite(bytes, name, file);
}

/** The file by which an output folder is known to be Thimble's own, to be replaced by the next build. */
export const manifestName = "thimble.json";

/** Throws TH4002 if the folder exists and is not empty and was not written by an earlier build. */
function checkReplaceable(folder: string): void {
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
    fail("TH4002", {
      where: [folder],
      found: error instanceof Error ? error.message : String(error),
      fix: "check that the folder's parent exists and can be written",
    });
  } finally {
    discard();
    process.removeListener("exit", discard);
  }
}
