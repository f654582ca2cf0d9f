/** WebAssembly in Node: compiled by the system's clang, or by the npm package @yowasp/clang where there is none. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readAsset } from "../base/assets.js";
import { fail } from "../base/diagnostics.js";
import { decodeResponse, encodeRequests, harnessPath, programFiles, sourceArguments, writeFiles } from "./program.js";
import type { Program, RunOptions, RunRequest, Target, TargetReport } from "./target.js";
import {
  compile,
  defaultTimeoutMs,
  failRun,
  findTool,
  firstLines,
  hasPackage,
  missingToolDiagnostic,
  type ProcessOptions,
  probe,
  requireTool,
  withTemporaryFolder,
} from "./toolchain.js";
import { runWasm } from "./wasm_worker.js";

/** A system compiler that can make WebAssembly. */
interface Clang {
  readonly clang: string;
  readonly linker: string;
}

/** The part of @yowasp/clang that is used; its documentation is the package's README on npm. */
export interface YowaspClang {
  /** `args` starts with the program's name. Resolves to the tree of files afterwards; rejects on a non-zero exit. */
  runClang(
    args: readonly string[],
    files: YowaspTree,
    options: {
      readonly stderr: (bytes: Uint8Array | null) => void;
      readonly decodeASCII: false;
      readonly fetchProgress: () => void;
    },
  ): Promise<YowaspTree>;
}

/** A virtual folder: names to contents or further folders. */
export interface YowaspTree {
  readonly [name: string]: string | Uint8Array | YowaspTree;
}

const yowasp = "@yowasp/clang";
/** Homebrew keeps its LLVM off the PATH, and Apple's own clang has no WebAssembly back end. */
const homebrew = (tool: string, keg: string): readonly string[] =>
  ["/opt/homebrew", "/usr/local"].map((prefix) => `${prefix}/opt/${keg}/bin/${tool}`);

function systemClang(): Clang | null {
  for (const name of ["clang", ...homebrew("clang", "llvm")]) {
    const clang = findTool(name);
    if (clang === null || !probe(clang, "--print-targets").includes("wasm32")) continue;
    const beside = probe(clang, "--print-prog-name=wasm-ld");
    const linker = findTool("wasm-ld", beside, ...homebrew("wasm-ld", "lld"), ...homebrew("wasm-ld", "llvm"));
    if (linker !== null) return { clang, linker };
  }
  return null;
}

const missingTool = () =>
  systemClang() !== null || hasPackage(yowasp)
    ? null
    : missingToolDiagnostic("wasm", "clang and wasm-ld (or the npm package @yowasp/clang)", {
        apt: "clang lld",
        brew: "llvm lld",
      });

const assets = [
  "harness/static_arena.h",
  "harness/port_wasm.c",
  "wasm/string.h",
  "wasm/math.h",
  "wasm/memory.c",
] as const;

const output = "program.wasm";
const importList = "imports.txt";

/** The symbols that the linker may leave undefined: the port and the functions that math.h names. */
function importedSymbols(): readonly string[] {
  const math = [...readAsset("verify/wasm/math.h").matchAll(/^TH_MATH_\d\((\w+)\)/gm)].map((match) => match[1] ?? "");
  return ["th_port_read", "th_port_write", "th_port_exit", ...math];
}

/** The files of a program with the WebAssembly harness. */
export const wasmFiles = (program: Program): ReadonlyMap<string, string> =>
  programFiles(program, { assets, texts: { [importList]: importedSymbols().join("\n") } });

function compilerArguments(files: ReadonlyMap<string, string>, options: RunOptions): readonly string[] {
  return [
    // Every Node that runs this has vectors of 128 bits.
    ...["--target=wasm32", "-msimd128", "-std=c99", options.optimization ?? "-O2"],
    ...["-Wall", "-Wextra", "-Wconversion", "-Werror"],
    // Only our own headers and the compiler's; errno does not exist, which lets sqrtf be an instruction.
    ...["-nostdlib", "-nostdlibinc", "-fno-math-errno"],
    ...sourceArguments(files, options.trace ? { trace: true } : {}),
    ...["-Wl,--no-entry", "-Wl,--export=th_main", `-Wl,--allow-undefined-file=${harnessPath(importList)}`],
    // The stack comes first in memory, so that running over it traps.
    ...["-Wl,--stack-first", "-Wl,-z,stack-size=262144"],
    ...["-o", output],
  ];
}

async function compileWithSystem(
  tools: Clang,
  files: ReadonlyMap<string, string>,
  options: RunOptions,
  within: ProcessOptions,
): Promise<Uint8Array> {
  await writeFiles(within.cwd, files);
  const args = [`-fuse-ld=${tools.linker}`, ...compilerArguments(files, options)];
  await compile("wasm", tools.clang, args, within);
  return readFile(join(within.cwd, output));
}

/** Paths with folders as the nested tree that @yowasp/clang takes. */
export function fileTree(files: ReadonlyMap<string, string>): YowaspTree {
  type Branch = { [name: string]: string | Branch };
  const root: Branch = {};
  for (const [path, text] of files) {
    const folders = path.split("/");
    const name = folders.pop() ?? path;
    let at = root;
    for (const folder of folders) {
      const next = at[folder];
      const branch: Branch = typeof next === "object" ? next : {};
      at[folder] = branch;
      at = branch;
    }
    at[name] = text;
  }
  return root;
}

/** Compiles in memory with @yowasp/clang, given as an argument so that a test can stand in for it. */
export async function compileWithYowasp(
  yowaspClang: YowaspClang,
  files: ReadonlyMap<string, string>,
  options: RunOptions,
): Promise<Uint8Array> {
  const stderr: Uint8Array[] = [];
  const keep = (bytes: Uint8Array | null): void => {
    if (bytes !== null) stderr.push(bytes.slice());
  };
  try {
    const tree = await yowaspClang.runClang(["clang", ...compilerArguments(files, options)], fileTree(files), {
      stderr: keep,
      decodeASCII: false,
      // Reading itself from disk is no news.
      fetchProgress: () => {},
    });
    const module = tree[output];
    if (module instanceof Uint8Array) return module;
  } catch (error) {
    keep(new TextEncoder().encode(stderr.length === 0 ? String(error) : ""));
  }
  return fail("TH5003", {
    where: ["wasm"],
    found: firstLines(Buffer.concat(stderr).toString()) || "no module was written",
    fix: "this is a fault in Thimble's generated code or in an edited kernel: please report it with the model",
  });
}

async function run(program: Program, requests: readonly RunRequest[], options: RunOptions): Promise<TargetReport> {
  requireTool(missingTool());
  const request = encodeRequests(program.models, requests);
  const files = wasmFiles(program);
  const { signal, timeoutMs = defaultTimeoutMs } = options;
  const tools = systemClang();
  const module =
    tools === null
      ? // A name in a variable, because the package is optional and its types need not be here.
        await compileWithYowasp((await import(yowasp)) as YowaspClang, files, options)
      : await withTemporaryFolder((cwd) =>
          compileWithSystem(tools, files, options, { cwd, timeoutMs, ...(signal ? { signal } : {}) }),
        );
  const end = await runWasm({ module, request }, timeoutMs, signal);
  if (end === null)
    failRun("wasm", `no end after ${timeoutMs / 1000} s`, "allow more time, or run fewer inputs at once");
  if (end.exitCode !== 0) failRun("wasm", end.trap || `exit code ${end.exitCode}`);
  const runs = decodeResponse(program.models, requests, end.response);
  if (runs === null) failRun("wasm", "an incomplete response");
  return { runs: runs.map(({ outputs, canariesIntact, trace }) => ({ outputs, canariesIntact, trace })) };
}

/** WebAssembly in Node, one worker thread per run. Reports no costs. */
export const wasmTarget: Target = { name: "wasm", missingTool, run };
