import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { type Diagnostic, DiagnosticError, diagnostic, fail } from "../base/diagnostics.js";

/** How a finished process ended. */
export interface ProcessResult {
  /** The exit code, or null when a signal ended it. */
  readonly code: number | null;
  /** The name of the signal that ended it, or null. */
  readonly endedBy: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how long a process may run. */
export interface ProcessOptions {
  readonly cwd: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Of each output stream, what is more than this is dropped; a MiB unless told. */
  readonly maxOutputBytes?: number;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Packages that hold a tool, by package manager. */
export interface InstallHint {
  readonly apt: string;
  readonly brew: string;
}

export const defaultTimeoutMs = 300_000;

/** Enough for any report worth showing; a program gone wild cannot fill the memory. */
const defaultOutputBytes = 1 << 20;

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Absolute path of the first of `names` (names on PATH, or absolute paths) that can be executed, or null. */
export function findTool(...names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const name of names) {
    const paths = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
    const found = paths.find(executable);
    if (found !== undefined) return found;
  }
  return null;
}

const probes = new Map<string, string>();

/** What a tool prints to stdout for a quick question such as `--version`; empty if it fails. Asked once per process. */
export function probe(command: string, ...args: readonly string[]): string {
  const key = [command, ...args].join("\0");
  let answer = probes.get(key);
  if (answer === undefined) {
    const result = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
    answer = result.status === 0 ? result.stdout.trim() : "";
    probes.set(key, answer);
  }
  return answer;
}

/** Whether an optional npm package is installed where Thimble would find it; does not load it. */
export function hasPackage(name: string): boolean {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return folders.some((folder) => existsSync(join(folder, name, "package.json")));
}

/** TH5001 for a target that needs `what`. */
export function missingToolDiagnostic(target: string, what: string, hint: InstallHint): Diagnostic {
  return diagnostic("TH5001", {
    where: [target],
    message: `the target ${target} needs ${what}, which is not installed`,
    fix: `run scripts/setup.sh, or: sudo apt-get install ${hint.apt} (Debian, Ubuntu); brew install ${hint.brew} (macOS)`,
  });
}

/** Throws the diagnostic unless it is null. */
export function requireTool(missing: Diagnostic | null): void {
  if (missing !== null) throw new DiagnosticError([missing]);
}

/** Runs a process to its end; it is killed when the time is up or the signal aborts, which throws the signal's reason. */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const { cwd, signal, timeoutMs = defaultTimeoutMs, env, maxOutputBytes = defaultOutputBytes } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", ...env },
    });
    const output = { stdout: "", stderr: "" };
    let timedOut = false;
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        if (output[stream].length < maxOutputBytes) output[stream] += text;
      });
    }
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    signal?.addEventListener("abort", kill, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", (code, endedBy) => {
      settle();
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code, endedBy, timedOut, ...output });
    });
  });
}

/** Calls `use` with a fresh folder that is removed afterwards, whatever happens. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "thimble-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The first lines of a tool's report that say something. */
export function firstLines(text: string, count = 8): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const shown = lines.slice(0, count).join("\n");
  return lines.length > count ? `${shown}\n(${lines.length - count} more lines)` : shown;
}

/** The report from the first line that matches, so that notes ahead of the cause do not hide it. */
function fromFirst(text: string, pattern: RegExp): string {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => pattern.test(line));
  return at < 0 ? text : lines.slice(at).join("\n");
}

/** Runs a compiler; a program too large for the memory map becomes TH5005, any other complaint TH5003. */
export async function compile(
  target: string,
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<void> {
  const result = await runProcess(command, args, options);
  if (result.code === 0) return;
  if (result.timedOut) failRun(target, "the compiler took too long", "allow more time");
  const overflow = /region `(\w+)' overflowed by (\d+) bytes/.exec(result.stderr);
  if (overflow !== null) failTooLarge(target, overflow[1] === "RAM" ? "RAM" : "flash", Number(overflow[2]));
  fail("TH5003", {
    where: [target],
    found: firstLines(fromFirst(result.stderr, /error|undefined/)),
    fix: "this is a fault in Thimble's generated code or in an edited kernel: please report it with the model",
  });
}

/** TH5005: the program needs `excessBytes` more than the target has. */
function failTooLarge(target: string, memory: "RAM" | "flash", excessBytes: number): never {
  fail("TH5005", {
    where: [target],
    found: `${excessBytes} bytes of ${memory} too many`,
    fix: `verify on a target with more memory, or make the model smaller (${memory === "RAM" ? "--optimize memory" : "--optimize size"})`,
  });
}

/** TH5004: the program died, hung, or said something impossible. */
export function failRun(target: string, found: string, fix?: string): never {
  fail("TH5004", {
    where: [target],
    found,
    fix: fix ?? "this is a fault in Thimble's generated code or kernels: please report it with the model",
  });
}

/** TH5004 for an emulator or program that did not exit cleanly. */
export function failProcess(target: string, result: ProcessResult, timeoutMs: number): never {
  if (result.timedOut) {
    failRun(target, `no end after ${timeoutMs / 1000} s`, "allow more time, or run fewer inputs at once");
  }
  const ending = result.code === null ? `ended by ${result.endedBy}` : `exit code ${result.code}`;
  const report = fromFirst(result.stderr, /ERROR: \w+Sanitizer|runtime error:|fault (pc|in)|qemu/);
  failRun(target, [ending, firstLines(report)].filter(Boolean).join(": "));
}
