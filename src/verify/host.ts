import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeResponse, encodeRequests, programFiles, sourceArguments, writeFiles } from "./program.js";
import type { Program, RunOptions, RunRequest, Target, TargetReport } from "./target.js";
import {
  compile,
  defaultTimeoutMs,
  failProcess,
  failRun,
  findTool,
  missingToolDiagnostic,
  requireTool,
  runProcess,
  withTemporaryFolder,
} from "./toolchain.js";

const compiler = (): string | null => findTool("cc", "clang", "gcc");

const flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror"] as const;

const sanitizing = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] as const;

/** Contraction would round float sums otherwise than the portable code says. */
const optimizing = ["-O3", "-ffp-contract=off", ...(process.arch === "x64" ? ["-march=native"] : [])];

const missingTool = () =>
  compiler() === null ? missingToolDiagnostic("host", "a C compiler", { apt: "gcc libc6-dev", brew: "llvm" }) : null;

async function run(program: Program, requests: readonly RunRequest[], options: RunOptions): Promise<TargetReport> {
  requireTool(missingTool());
  const cc = compiler() ?? "cc";
  const request = encodeRequests(program.models, requests);
  const files = programFiles(program, { assets: ["harness/port_host.c"] });
  const { trace, signal, timeoutMs = defaultTimeoutMs, sanitizers = "on" } = options;
  const speed = sanitizers === "on" ? sanitizing : optimizing;
  return withTemporaryFolder(async (cwd) => {
    await writeFiles(cwd, files);
    await writeFile(join(cwd, "request.bin"), request);
    const within = { cwd, timeoutMs, ...(signal ? { signal } : {}) };
    await compile(
      "host",
      cc,
      [...flags, ...speed, ...sourceArguments(files, trace ? { trace } : {}), "-o", "program", "-lm"],
      within,
    );
    // Leaks are of no interest: the harness holds its arena to the end.
    const env = { ASAN_OPTIONS: "detect_leaks=0:color=never", UBSAN_OPTIONS: "print_stacktrace=1:color=never" };
    const result = await runProcess(join(cwd, "program"), [], { ...within, env });
    if (result.code !== 0) failProcess("host", result, timeoutMs);
    const runs = decodeResponse(program.models, requests, await readFile(join(cwd, "response.bin")));
    if (runs === null) failRun("host", "an incomplete response");
    return {
      runs: runs.map(({ outputs, canariesIntact, trace: records }) => ({ outputs, canariesIntact, trace: records })),
    };
  });
}

/** The machine that Thimble runs on, under AddressSanitizer and UndefinedBehaviorSanitizer. Reports no costs. */
export const hostTarget: Target = { name: "host", missingTool, run };
