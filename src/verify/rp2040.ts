/**
 * The RP2040's Cortex-M0+ in Node, by the npm package rp2040js, which counts cycles after the core's timing table
 * (Cortex-M0+ Technical Reference Manual, 3.3; no wait states, no flash cache misses). No peripherals: only
 * semihosting, on files in memory.
 */
import { setImmediate } from "node:timers/promises";
import type { RP2040 } from "rp2040js";
import { present } from "../base/assert.js";
import type { Diagnostic } from "../base/diagnostics.js";
import { type ArmBuild, type ArmCore, buildArm, buildHarnessAlone, checkStackExit, missingArmCompiler } from "./arm.js";
import { functionAt } from "./elf.js";
import { decodeResponse, encodeRequests, pushedBytes } from "./program.js";
import type { Program, RunOptions, RunRequest, RunResult, StepCost, Target, TargetReport } from "./target.js";
import { marksOf } from "./timing/profile.js";
import {
  defaultTimeoutMs,
  failRun,
  hasPackage,
  missingToolDiagnostic,
  requireTool,
  withTemporaryFolder,
} from "./toolchain.js";

const flashOrigin = 0x10000000;
const sramOrigin = 0x20000000;

/** The chip: up to 16 MB of external flash in its window, 264 KB of SRAM. */
export const rp2040Core: ArmCore = {
  target: "rp2040",
  flags: ["-mthumb", "-mcpu=cortex-m0plus", "-mfloat-abi=soft"],
  defines: [],
  code: { origin: flashOrigin, bytes: 16 << 20 },
  ram: { origin: sramOrigin, bytes: 264 << 10 },
  stackBytes: 8 << 10,
};

/** What executing the callee of one marked call took: all of it, and each step where the program has marks. */
interface Cost {
  readonly cycles: number;
  readonly instructions: number;
  readonly steps: readonly StepCost[];
}

/** Arm semihosting operations that the port uses. */
const operations = { open: 1, close: 2, write0: 4, write: 5, read: 6, exitExtended: 0x20 } as const;
const handles = { request: 1, response: 2 } as const;
const semihostingBreak = 0xab;
/** Instructions between two looks at the clock and the signal: some tens of milliseconds. */
const sliceInstructions = 1 << 20;
/** From the first marker into the callee: the marker and the call. */
const instructionsToCallee = 2;

/** Owns an emulated chip and its two files. */
class Emulation {
  readonly costs: Cost[] = [];
  /** By half-words of flash: 1 + the step that ends there, or 0. */
  private readonly marks: Uint16Array;
  private readonly response: Uint8Array[] = [];
  private requestAt = 0;
  private message = "";
  private exitCode: number | null = null;

  constructor(
    private readonly chip: RP2040,
    private readonly build: ArmBuild,
    private readonly request: Uint8Array,
  ) {
    for (const { address, bytes } of build.elf.segments) chip.flash.set(bytes, address - flashOrigin);
    this.marks = new Uint16Array(build.elf.flashBytes >> 1);
    for (const { address, step } of marksOf(build.elf)) this.marks[(address - flashOrigin) >> 1] = step + 1;
    const stop = (_: string, message: string): void => this.die(message);
    chip.logger = { debug: () => {}, info: () => {}, warn: stop, error: stop };
    chip.onBreak = (code) => {
      if (code !== semihostingBreak) this.die(`breakpoint or undefined instruction ${code}`);
      const registers = chip.core.registers;
      registers[0] = this.semihost(registers[0] as number, registers[1] as number);
    };
    chip.core.VTOR = flashOrigin;
    chip.core.SP = chip.core.readUint32(flashOrigin);
    chip.core.PC = chip.core.readUint32(flashOrigin + 4) & ~1;
  }

  /** Runs to the program's exit; throws TH5004 if it faults or takes too long. */
  async run(timeoutMs: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const end = Date.now() + timeoutMs;
    while (this.exitCode === null) {
      this.slice();
      await setImmediate();
      signal?.throwIfAborted();
      if (Date.now() > end)
        failRun("rp2040", `no end after ${timeoutMs / 1000} s`, "allow more time, or run fewer inputs");
    }
    checkStackExit(rp2040Core, this.exitCode);
    if (this.exitCode !== 0) failRun("rp2040", `exit code ${this.exitCode} ${this.message}`.trim());
    return new Uint8Array(Buffer.concat(this.response));
  }

  private readonly steps = new Map<number, { instructions: number; cycles: number }>();
  private stepStarted = { instructions: 0, cycles: 0 };

  /** Gives what ran since the last mark to a step. */
  private closeStep(step: number, instructions: number): void {
    const { cycles } = this.chip.core;
    const cost = this.steps.get(step) ?? { instructions: 0, cycles: 0 };
    cost.instructions += instructions - this.stepStarted.instructions;
    cost.cycles += cycles - this.stepStarted.cycles;
    this.steps.set(step, cost);
    this.stepStarted = { instructions, cycles };
  }

  /** Ends a measured call. */
  private closeCall(): void {
    this.closeStep(-1, this.executed);
    const steps = [...this.steps].sort(([a], [b]) => a - b).map(([step, cost]) => ({ step, ...cost }));
    const { cycles } = this.chip.core;
    this.costs.push({ cycles: cycles - this.startedCycles, instructions: this.executed - this.started, steps });
  }

  private started = 0;
  private startedCycles = 0;
  private executed = 0;

  private slice(): void {
    const { core } = this.chip;
    const { marks } = this;
    const start = this.build.elf.symbols.get("th_count_start") ?? -1;
    const stop = this.build.elf.symbols.get("th_count_stop") ?? -1;
    for (
      const end = this.executed + sliceInstructions;
      this.executed < end && this.exitCode === null;
      this.executed++
    ) {
      const pc = core.PC;
      if (pc === start) this.started = this.executed + instructionsToCallee;
      else if (pc === stop) this.closeCall();
      else if (marks[(pc - flashOrigin) >> 1]) this.closeStep((marks[(pc - flashOrigin) >> 1] ?? 0) - 1, this.executed);
      core.executeInstruction();
      if (this.executed + 1 === this.started) {
        this.startedCycles = core.cycles;
        this.stepStarted = { instructions: this.started, cycles: core.cycles };
        this.steps.clear();
      }
    }
  }

  private die(message: string): never {
    const pc = this.chip.core.PC;
    failRun("rp2040", `${message} at ${pc.toString(16)} in ${functionAt(this.build.elf, pc) ?? "no function"}`);
  }

  /** A view of emulated memory. */
  private memory(address: number, bytes: number): Uint8Array {
    const inRam = address >= sramOrigin;
    const memory = inRam ? this.chip.sram : this.chip.flash;
    const at = address - (inRam ? sramOrigin : flashOrigin);
    if (at < 0 || at + bytes > memory.length) this.die(`${bytes} bytes at ${address.toString(16)} are not memory`);
    return memory.subarray(at, at + bytes);
  }

  private semihost(operation: number, block: number): number {
    const word = (index: number): number => this.chip.core.readUint32(block + index * 4);
    switch (operation) {
      case operations.open:
        return Buffer.from(this.memory(word(0), word(2))).toString() === "request.bin"
          ? handles.request
          : handles.response;
      case operations.close:
        return 0;
      case operations.write:
        this.response.push(this.memory(word(1), word(2)).slice());
        return 0;
      case operations.read: {
        const given = this.request.subarray(this.requestAt, this.requestAt + word(2));
        this.memory(word(1), given.length).set(given);
        this.requestAt += given.length;
        return word(2) - given.length;
      }
      case operations.write0: {
        const rest = this.memory(block, 256);
        this.message += Buffer.from(rest.subarray(0, rest.indexOf(0)))
          .toString("latin1")
          .trim();
        return 0;
      }
      case operations.exitExtended:
        this.exitCode = word(1);
        return 0;
      default:
        return this.die(`unknown semihosting operation ${operation}`);
    }
  }
}

function missingTool(): Diagnostic | null {
  const compiler = missingArmCompiler("rp2040");
  if (compiler !== null || hasPackage("rp2040js")) return compiler;
  const missing = missingToolDiagnostic("rp2040", "the npm package rp2040js", { apt: "", brew: "" });
  return { ...missing, fix: "npm install rp2040js" };
}

async function run(program: Program, requests: readonly RunRequest[], options: RunOptions): Promise<TargetReport> {
  requireTool(missingTool());
  const request = encodeRequests(program.models, requests);
  const { signal, trace, timeoutMs = defaultTimeoutMs } = options;
  const build = await withTemporaryFolder((cwd) =>
    buildArm(rp2040Core, program, options, { cwd, timeoutMs, ...(signal ? { signal } : {}) }),
  );
  const { RP2040: Chip } = await import("rp2040js");
  const emulation = new Emulation(new Chip(), build, request);
  const response = await emulation.run(timeoutMs, signal);
  const runs = decodeResponse(program.models, requests, response);
  if (runs === null) failRun("rp2040", "an incomplete response");
  // Each request measures an empty function first and then the invoke.
  const costs = emulation.costs.filter((_, i) => i % 2 === 1);
  const harness = await buildHarnessAlone(rp2040Core, options);
  return {
    runs: runs.map(({ outputs, canariesIntact, trace: records }, i): RunResult => {
      if (trace) return { outputs, canariesIntact, trace: records };
      const { steps, ...cost } = present(costs[i], "cost of an inference");
      return { outputs, canariesIntact, trace: records, ...cost, ...(options.profile === "steps" ? { steps } : {}) };
    }),
    ...(trace ? {} : { stackBytes: runs.reduce((most, { stackBytes }) => Math.max(most, stackBytes), 0) }),
    flashBytes: build.elf.flashBytes,
    ramBytes: build.elf.ramBytes - pushedBytes(program.models),
    harnessFlashBytes: harness.flashBytes,
    harnessRamBytes: harness.ramBytes,
  };
}

/** The Cortex-M0+ of the RP2040 with its memory sizes; reports cycles as well as instructions. */
export const rp2040Target: Target = { name: "rp2040", missingTool, run };
