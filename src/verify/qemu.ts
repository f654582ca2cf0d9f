/**
 * Cortex-M cores emulated by qemu-system-arm. qemu executes instructions, not cycles; they are counted exactly by a
 * plugin, or, where it cannot be built or loaded, by the board's timer under -icount (within one instruction; the
 * Cortex-M55's board has no such timer and then reports no instructions).
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { present } from "../base/assert.js";
import type { Diagnostic } from "../base/diagnostics.js";
import {
  type ArmBuild,
  type ArmCore,
  buildArm,
  buildHarnessAlone,
  checkStackExit,
  disassemble,
  missingArmCompiler,
} from "./arm.js";
import { type ElfFile, functionAt } from "./elf.js";
import { type PluginName, qemuPlugin } from "./plugin.js";
import { decodeResponse, encodeRequests, type HarnessRun, pushedBytes } from "./program.js";
import type { Program, RunOptions, RunRequest, RunResult, Target, TargetReport } from "./target.js";
import { coreTimings } from "./timing/cores.js";
import { markLines, readProfiles } from "./timing/profile.js";
import {
  defaultTimeoutMs,
  failProcess,
  failRun,
  findTool,
  missingToolDiagnostic,
  type ProcessOptions,
  type ProcessResult,
  requireTool,
  runProcess,
  withTemporaryFolder,
} from "./toolchain.js";

/** A core on one of qemu's boards. */
export interface QemuCore extends ArmCore {
  readonly machine: string;
  /** Of the board's CMSDK timer, which is at TH_TIMER_BASE; null for a board without one. */
  readonly timerHz: number | null;
}

/** How instructions are counted; "plugin" falls back to "timer" by itself. */
export type InstructionCounter = "plugin" | "timer";

const MiB = 1 << 20;
const stackBytes = 64 << 10;

/** The MPS2 boards with an Armv6-M or Armv7-M core: 4 MB of code memory and 4 MB of RAM. */
const mps2 = {
  code: { origin: 0, bytes: 4 * MiB },
  ram: { origin: 0x20000000, bytes: 4 * MiB },
  defines: ["TH_TIMER_BASE=0x40000000u"],
  timerHz: 25e6,
  stackBytes,
} as const;

/** Boards and maps: qemu 7.2, hw/arm/mps2.c, mps2-tz.c, armsse.c. */
const cores: readonly QemuCore[] = [
  {
    // qemu's only Armv6-M machine has 16 KB of RAM; Armv6-M code runs the same on a Cortex-M3.
    ...mps2,
    target: "cortex-m0plus",
    machine: "mps2-an385",
    flags: ["-mthumb", "-mcpu=cortex-m0plus", "-mfloat-abi=soft"],
    defines: [...mps2.defines, "TH_TRAP_UNALIGNED"],
  },
  { ...mps2, target: "cortex-m3", machine: "mps2-an385", flags: ["-mthumb", "-mcpu=cortex-m3", "-mfloat-abi=soft"] },
  {
    ...mps2,
    target: "cortex-m4",
    machine: "mps2-an386",
    flags: ["-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
  },
  {
    ...mps2,
    target: "cortex-m7",
    machine: "mps2-an500",
    flags: ["-mthumb", "-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
  },
  {
    ...mps2,
    target: "cortex-m33",
    machine: "mps2-an505",
    flags: ["-mthumb", "-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    code: { origin: 0x10000000, bytes: 4 * MiB },
    ram: { origin: 0x38000000, bytes: 4 * MiB },
    defines: ["TH_TIMER_BASE=0x50000000u"],
    timerHz: 20e6,
  },
  {
    ...mps2,
    target: "cortex-m55",
    machine: "mps3-an547",
    flags: ["-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard", "-mfpu=auto"],
    vectors: { origin: 0, bytes: 1024 },
    code: { origin: 0x60000000, bytes: 16 * MiB },
    ram: { origin: 0x61000000, bytes: 16 * MiB },
    defines: [],
    timerHz: null,
  },
];

/** -icount shift=6 makes an instruction last 2^6 ns of the board's time. */
const icountShift = 6;
/** Between the markers, besides the callee: the first marker and the call. */
const markedOverhead = 2;
/** The empty function that the timer measures too is a single return. */
const emptyFunctionInstructions = 1;

const qemuName = "qemu-system-arm";

function missingQemu(core: QemuCore): Diagnostic | null {
  const compiler = missingArmCompiler(core.target);
  if (compiler !== null) return compiler;
  if (findTool(qemuName) !== null) return null;
  return missingToolDiagnostic(core.target, qemuName, { apt: "qemu-system-arm", brew: "qemu" });
}

const symbol = (elf: ElfFile, name: string): string => `0x${(elf.symbols.get(name) ?? 0).toString(16)}`;

/** A comma ends an option's value in qemu's syntax; two stand for one. */
const escapeCommas = (text: string): string => text.replaceAll(",", ",,");

/** A plugin that is built. */
interface LoadedPlugin {
  readonly name: PluginName;
  readonly path: string;
}

function machineArguments(core: QemuCore, elf: ElfFile, plugin: LoadedPlugin | null): readonly string[] {
  const counting =
    plugin === null
      ? ["-icount", `shift=${icountShift},align=off,sleep=off`]
      : [
          "-plugin",
          `file=${escapeCommas(plugin.path)},start=${symbol(elf, "th_count_start")},stop=${symbol(elf, "th_count_stop")},marks=marks.txt,out=counts.txt`,
        ];
  return [
    ...["-M", core.machine, "-display", "none", "-monitor", "none", "-serial", "none"],
    ...["-semihosting-config", "enable=on,target=native", "-kernel", "program.elf"],
    ...counting,
  ];
}

/** Instructions of each invoke from the plugin's file: the empty function and the invoke take turns. */
function pluginCounts(text: string): readonly number[] {
  const counts = text.split("\n").filter(Boolean).map(Number);
  return counts.filter((_, i) => i % 2 === 1).map((count) => count - markedOverhead);
}

function timerCounts(core: QemuCore, runs: readonly HarnessRun[]): readonly number[] {
  if (core.timerHz === null) return [];
  const instructionsPerTick = 1e9 / core.timerHz / 2 ** icountShift;
  return runs.map((run) => Math.round((run.ticks - run.emptyTicks) * instructionsPerTick) + emptyFunctionInstructions);
}

/** Adds to a fault's registers the function they point into. */
function explainFault(result: ProcessResult, elf: ElfFile): ProcessResult {
  const pc = /fault pc ([0-9a-f]{8})/.exec(result.stderr)?.[1];
  const name = pc === undefined ? null : functionAt(elf, Number.parseInt(pc, 16));
  return name === null ? result : { ...result, stderr: `fault in ${name}\n${result.stderr}` };
}

async function emulate(
  core: QemuCore,
  build: ArmBuild,
  plugin: LoadedPlugin | null,
  within: ProcessOptions & { readonly timeoutMs: number },
): Promise<"refused plugin" | "done"> {
  const result = await runProcess(findTool(qemuName) ?? qemuName, machineArguments(core, build.elf, plugin), within);
  if (result.code === 0) return "done";
  if (plugin !== null && /plugin/i.test(result.stderr)) return "refused plugin";
  checkStackExit(core, result.code);
  return failProcess(core.target, explainFault(result, build.elf), within.timeoutMs);
}

/** What was measured of each invoke. */
type Measured = Pick<RunResult, "instructions" | "cycles" | "mix" | "steps">;

/** Reads the plugin's file, or the timer's ticks. */
async function measuredOf(
  core: QemuCore,
  plugin: LoadedPlugin | null,
  runs: readonly HarnessRun[],
  within: ProcessOptions,
): Promise<readonly Measured[]> {
  if (plugin === null) return timerCounts(core, runs).map((instructions) => ({ instructions }));
  const text = await readFile(join(within.cwd, "counts.txt"), "utf8");
  if (plugin.name === "count") return pluginCounts(text).map((instructions) => ({ instructions }));
  const timing = present(coreTimings[core.target], `timing of ${core.target}`);
  return readProfiles(text, await disassemble(within), timing).map(({ steps, ...rest }) => ({
    ...rest,
    instructions: steps.reduce((sum, s) => sum + s.instructions, 0),
    steps,
  }));
}

function report(
  models: Program["models"],
  runs: readonly HarnessRun[],
  measured: readonly Measured[],
  build: ArmBuild,
  harness: ElfFile,
  trace: true | undefined,
): TargetReport {
  const results = runs.map(({ outputs, canariesIntact, trace: records }, i): RunResult => {
    return { outputs, canariesIntact, trace: records, ...(trace ? {} : measured[i]) };
  });
  return {
    runs: results,
    ...(trace ? {} : { stackBytes: runs.reduce((most, run) => Math.max(most, run.stackBytes), 0) }),
    flashBytes: build.elf.flashBytes,
    ramBytes: build.elf.ramBytes - pushedBytes(models),
    harnessFlashBytes: harness.flashBytes,
    harnessRamBytes: harness.ramBytes,
  };
}

async function loadPlugin(options: RunOptions, within: ProcessOptions): Promise<LoadedPlugin | null> {
  const name = options.profile === undefined || options.trace ? "count" : "profile";
  const path = await qemuPlugin(name, findTool(qemuName) ?? qemuName, within);
  return path === null ? null : { name, path };
}

async function runOnQemu(
  core: QemuCore,
  counter: InstructionCounter,
  program: Program,
  requests: readonly RunRequest[],
  options: RunOptions,
): Promise<TargetReport> {
  requireTool(missingQemu(core));
  const request = encodeRequests(program.models, requests);
  const { signal, trace, timeoutMs = defaultTimeoutMs } = options;
  return withTemporaryFolder(async (cwd) => {
    const within = { cwd, timeoutMs, ...(signal ? { signal } : {}) };
    await writeFile(join(cwd, "request.bin"), request);
    const build = await buildArm(core, program, options, within);
    await writeFile(join(cwd, "marks.txt"), markLines(build.elf));
    let plugin = counter === "plugin" ? await loadPlugin(options, within) : null;
    if ((await emulate(core, build, plugin, within)) === "refused plugin") {
      plugin = null;
      await emulate(core, build, plugin, within);
    }
    const runs = decodeResponse(program.models, requests, await readFile(join(cwd, "response.bin")));
    if (runs === null) failRun(core.target, "an incomplete response");
    const measured = await measuredOf(core, plugin, runs, within);
    return report(program.models, runs, measured, build, await buildHarnessAlone(core, options), trace);
  });
}

/** Makes a target of a core; tests ask for the timer to check it against the plugin. */
export function qemuTarget(core: QemuCore, counter: InstructionCounter = "plugin"): Target {
  return {
    name: core.target,
    missingTool: () => missingQemu(core),
    run: (program, requests, options) => runOnQemu(core, counter, program, requests, options),
  };
}

/** Every core that qemu emulates here. */
export const qemuCores: readonly QemuCore[] = cores;
