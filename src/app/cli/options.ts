import { readFileSync } from "node:fs";
import { fail } from "../../base/diagnostics.js";
import { bytesOf, elementsOf, fromBytes, type TensorData } from "../../base/dtype.js";
import { readNpy } from "../../base/npy.js";
import type { OnnxOptions } from "../../formats/onnx/import/import.js";
import { tensorOf } from "../../ir/graph.js";
import type { Graph } from "../../ops/index.js";
import { isas } from "../../ops/isa.js";
import { type CompileOptions, objectives } from "../compile.js";
import { readInputFile } from "../files.js";

/** Options as the argument parser gives them: text, true, or a list for repeated ones. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** What was given for an option; the parser joins the words of `--dead-channels` as `deadChannels`. */
const given = (options: RawOptions, name: string): unknown =>
  options[name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];

/** The values of an option that may be repeated or comma-separated. */
export function listOption(options: RawOptions, name: string): readonly string[] | undefined {
  const value = given(options, name);
  if (value === undefined || value === true || value === false) return undefined;
  return (Array.isArray(value) ? value : [value])
    .flatMap((v) => String(v).split(","))
    .map((v) => v.trim())
    .filter((v) => v !== "");
}

/** The value of an option that is given once, or undefined. Throws TH6003 when it is repeated. */
export function textOption(options: RawOptions, name: string): string | undefined {
  const value = given(options, name);
  if (value === undefined || value === false) return undefined;
  if (Array.isArray(value) || value === true)
    return fail("TH6003", {
      found: `--${name} ${Array.isArray(value) ? value.join(" ") : ""}`,
      expected: `--${name} once, with a value`,
      fix: "see --help",
    });
  return String(value);
}

/** An option with a fixed set of values. */
export function choiceOption<T extends string>(
  options: RawOptions,
  name: string,
  choices: readonly T[],
  fallback: T,
): T {
  const value = textOption(options, name);
  if (value === undefined) return fallback;
  const found = choices.find((c) => c === value);
  return found ?? fail("TH6003", { found: `--${name} ${value}`, expected: choices.join(", "), fix: "see --help" });
}

/** An option whose value is JSON, or in a file behind an @. What it may hold is checked where it is used. */
export function jsonOption(options: RawOptions, name: string, example: string): unknown {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text);
  } catch (error) {
    const fix = error instanceof Error ? error.message : "see --help";
    return fail("TH6003", { found: `--${name} ${text}`, expected: `JSON such as ${example}, or @file.json`, fix });
  }
}

/** An option that must be there. */
export const requiredOption = (options: RawOptions, name: string, example: string): string =>
  textOption(options, name) ??
  fail("TH6003", { found: `no --${name}`, expected: `--${name} ${example}`, fix: "see --help" });

/** The command line as typed, for the header of generated files. */
export const commandLine = (): string => ["thimble", ...process.argv.slice(2)].join(" ");

/** The rows of a hop, or undefined. Throws TH6003 for what is no number, or does not go with other options. */
function hopOption(options: RawOptions): number | undefined {
  const text = textOption(options, "incremental");
  if (text === undefined) return undefined;
  const other = ["feed", "plan", "optimize"].find((name) => textOption(options, name) !== undefined);
  if (other !== undefined)
    fail("TH6003", {
      found: `--incremental with --${other}`,
      expected: "one of them",
      fix: `leave out --${other}: incremental inference has its own plan, whose input is pushed`,
    });
  if (!/^\d+$/.test(text))
    fail("TH6003", { found: `--incremental ${text}`, expected: "a number of rows", fix: "see --help" });
  return Number(text);
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1000,
  kib: 1024,
  k: 1024,
  mb: 1e6,
  mib: 1 << 20,
  m: 1 << 20,
};

/** A number of bytes such as 14000, 14KB (1000) or 16KiB (1024), or undefined. */
export function sizeOption(options: RawOptions, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  if (digits !== undefined && factor !== undefined) return Math.floor(Number(digits) * factor);
  return fail("TH6003", {
    found: `--${name} ${text}`,
    expected: "bytes, such as 14000, 14KB or 16KiB",
    fix: "see --help",
  });
}

/** A number that is not negative, whole or more than 0 where asked, or undefined. */
export function numberOption(
  options: RawOptions,
  name: string,
  kind: "whole" | "any" | "positive" | "positive whole",
): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const [isWhole, isPositive] = [kind.endsWith("whole"), kind.startsWith("positive")];
  const pattern = isWhole ? /^\d+$/ : /^\d+(\.\d+)?(e[-+]?\d+)?$/i;
  const value = Number(text);
  if (pattern.test(text) && Number.isFinite(value) && (value > 0 || !isPositive)) return value;
  const expected = `a ${isWhole ? "whole " : ""}number${isPositive ? " more than 0" : ""}`;
  return fail("TH6003", { found: `--${name} ${text}`, expected, fix: "see --help" });
}

/** What `--NAME tensor=1,2,3` says, for every tensor; repeated for several. */
function numbersByName(options: RawOptions, name: string): Readonly<Record<string, readonly number[]>> | undefined {
  const value = given(options, name);
  if (value === undefined || value === false) return undefined;
  const entries = (Array.isArray(value) ? value : [value]).map((text) => {
    const [, tensor, list = ""] = /^(.+)=([-+.\deE,\s]+)$/.exec(String(text)) ?? [];
    const numbers = list.split(",").map(Number);
    if (tensor !== undefined && numbers.every(Number.isFinite)) return [tensor, numbers] as const;
    return fail("TH6003", {
      found: `--${name} ${String(text)}`,
      expected: `--${name} input=1,3,224,224`,
      fix: "give the input's name, = and numbers separated by commas",
    });
  });
  return Object.fromEntries(entries);
}

/** What a command line says of an ONNX model's inputs. */
export function modelOptions(options: RawOptions): Pick<OnnxOptions, "shapes" | "constants"> {
  const shapes = numbersByName(options, "shape");
  const constants = numbersByName(options, "constant");
  return { ...(shapes ? { shapes } : {}), ...(constants ? { constants } : {}) };
}

/** Options that every command with a plan has. */
export function compileOptions(options: RawOptions): CompileOptions {
  const layers = choiceOption(options, "plan", ["layers", "auto"], "auto") === "layers";
  const optimize = choiceOption(options, "optimize", [...objectives, "auto"], "auto");
  const name = textOption(options, "name");
  const incremental = hopOption(options);
  const ram = sizeOption(options, "ram");
  const isa = choiceOption(options, "isa", [...isas, "auto"], "auto");
  if (name !== undefined && !/^[a-z][a-z0-9_]*$/.test(name))
    fail("TH4003", { found: name, expected: "lower-case letters, digits and _", fix: "give another --name" });
  return {
    floatEdges: choiceOption(options, "io", ["float", "quantized"], "float") === "quantized" ? "drop" : "keep",
    deadChannels: choiceOption(options, "dead-channels", ["remove", "keep"], "remove"),
    feed: choiceOption(options, "feed", ["resident", "pushed"], "resident"),
    commandLine: commandLine(),
    ...(isa === "auto" ? {} : { isa }),
    ...(ram === undefined ? {} : { budgetBytes: ram }),
    ...(layers ? { plan: "layers" } : {}),
    ...(optimize === "auto" ? {} : { optimize }),
    ...(name === undefined ? {} : { name }),
    ...(incremental === undefined ? {} : { incremental }),
  };
}

/** The inputs of one run from files, one for each input of the graph: .npy, or raw little-endian bytes. */
export function readInputs(graph: Graph, files: readonly string[]): readonly TensorData[] {
  if (files.length !== graph.inputs.length) {
    fail("TH6002", {
      found: `${files.length} input files`,
      expected: `${graph.inputs.length}, one for each input of the model`,
      fix: "repeat --input in the order of `thimble inspect`",
    });
  }
  return graph.inputs.map((id, i) => {
    const tensor = tensorOf(graph, id);
    const path = files[i] ?? "";
    const bytes = readInputFile(path);
    const elements = elementsOf(tensor.shape);
    const expected = `${tensor.dtype} [${tensor.shape.join(", ")}]`;
    if (path.endsWith(".npy")) {
      const array = readNpy(bytes, path);
      if (array.dtype === tensor.dtype && array.data.length === elements) return array.data;
      return fail("TH6002", {
        where: [path],
        found: `${array.dtype} [${array.shape.join(", ")}]`,
        expected,
        fix: "save an array of the model's input type and size",
      });
    }
    if (bytes.length !== bytesOf(tensor.dtype, elements)) {
      fail("TH6002", {
        where: [path],
        found: `${bytes.length} bytes`,
        expected: `${bytesOf(tensor.dtype, elements)} bytes of ${expected}`,
        fix: "give raw little-endian bytes, or a .npy file",
      });
    }
    return fromBytes(tensor.dtype, bytes, elements);
  });
}
