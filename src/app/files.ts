import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, resolve, sep } from "node:path";
import { fail } from "../base/diagnostics.js";
import { type OnnxOptions, importOnnx as readOnnx } from "../formats/onnx/import/import.js";
import type { ExternalFiles } from "../formats/onnx/proto.js";
import { importText } from "../formats/text.js";
import { importTflite } from "../formats/tflite/import.js";
import type { Model } from "../ops/index.js";
import { channelsLast } from "../passes/layout.js";

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

/** Reads files in the folder of a model, and none elsewhere. */
const filesBeside =
  (path: string): ExternalFiles =>
  (location) => {
    const folder = dirname(resolve(path));
    const file = resolve(folder, location);
    if (!file.startsWith(`${folder}${sep}`) || !existsSync(file)) return null;
    if (!realpathSync(file).startsWith(`${realpathSync(folder)}${sep}`)) return null;
    const { size } = statSync(file);
    return size <= maxFileBytes ? readFileSync(file) : null;
  };

/**
 * Reads an ONNX model as {@link importOnnx} of formats/ does, and turns images channels last: inputs of [batch, channels,
 * height, width] become [batch, height, width, channels] where that saves permutations, and outputs with them.
 */
export const importOnnx = (bytes: Uint8Array, name: string, options: OnnxOptions = {}): Model =>
  channelsLast(readOnnx(bytes, name, options));

/** Bytes that a FlatBuffer with TensorFlow Lite's identifier has at 4, and that a text form begins with. */
const marks = { tflite: "TFL3", text: "graph " } as const;

/**
 * Reads a model file: TensorFlow Lite, ONNX (`.onnx`, or what begins as one), or Thimble's own text form. Throws all
 * diagnostics of it. `options` are for ONNX.
 */
export function loadModel(path: string, options: Pick<OnnxOptions, "shapes" | "constants"> = {}): Model {
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
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 8));
  if (head.startsWith(marks.text)) return importText(new TextDecoder().decode(bytes), name, file);
  // An ONNX file begins with its version: field 1, a small number.
  const looksLikeOnnx = head.slice(4) !== marks.tflite && bytes[0] === 8 && (bytes[1] ?? 255) < 64;
  if (file.toLowerCase().endsWith(".onnx") || looksLikeOnnx)
    return importOnnx(bytes, name, { ...options, file, external: filesBeside(path) });
  return importTflite(bytes, name, file);
}
