/** Compiles and links a program for a bare-metal Cortex-M core. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readAsset } from "../base/assets.js";
import { type Diagnostic, DiagnosticError } from "../base/diagnostics.js";
import { type ElfFile, parseElf } from "./elf.js";
import { emptyProgram, harnessPath, programFiles, sourceArguments, writeFiles } from "./program.js";
import type { Program, RunOptions, TargetName } from "./target.js";
import { type Instruction, parseDisassembly } from "./timing/disassembly.js";
import {
  compile,
  failRun,
  findTool,
  missingToolDiagnostic,
  type ProcessOptions,
  probe,
  runProcess,
  withTemporaryFolder,
} from "./toolchain.js";

/** A range of the core's address space. */
export interface MemoryRegion {
  readonly origin: number;
  readonly bytes: number;
}

/** A core, its compiler flags and its memory map. */
export interface ArmCore {
  readonly target: TargetName;
  /** -mcpu and the float ABI. */
  readonly flags: readonly string[];
  /** Preprocessor definitions for the port: TH_TIMER_BASE, TH_TRAP_UNALIGNED. */
  readonly defines: readonly string[];
  readonly code: MemoryRegion;
  readonly ram: MemoryRegion;
  /** Where the core expects its vector table, if not at the start of `code`. */
  readonly vectors?: MemoryRegion;
  /** Taken off the end of `ram` and painted before each invoke. */
  readonly stackBytes: number;
}

/** A linked program. */
export interface ArmBuild {
  readonly file: Uint8Array;
  readonly elf: ElfFile;
}

const gccName = "arm-none-eabi-gcc";
const objdumpName = "arm-none-eabi-objdump";
const packages = {
  apt: "gcc-arm-none-eabi libnewlib-arm-none-eabi",
  brew: "--cask gcc-arm-embedded",
} as const;

/** TH5001 unless Arm's gcc and newlib are here. */
export function missingArmCompiler(target: TargetName): Diagnostic | null {
  const gcc = findTool(gccName);
  if (gcc === null) return missingToolDiagnostic(target, gccName, packages);
  // gcc prints the bare name back for a file that it does not find.
  const found = probe(gcc, "-print-file-name=nano.specs") !== "nano.specs";
  return found ? null : missingToolDiagnostic(target, "newlib for Arm", packages);
}

/** Exit code of harness.c when the painted stack was used up. */
const exitStack = 67;

/** Throws TH5004 when the program's exit code says that its stack was too small. */
export function checkStackExit(core: ArmCore, exitCode: number | null): void {
  if (exitCode !== exitStack) return;
  failRun(core.target, `more than ${core.stackBytes} bytes of stack`, "keep large buffers in the arena, off the stack");
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The linker script of a core. */
export function linkerScript(core: ArmCore): string {
  const ramBytes = core.ram.bytes - core.stackBytes;
  const regions: readonly (readonly [string, number, number])[] = [
    ["CODE (rx)", core.code.origin, core.code.bytes],
    ["RAM (rwx)", core.ram.origin, ramBytes],
    ["STACK (rw)", core.ram.origin + ramBytes, core.stackBytes],
    ...(core.vectors ? ([["TABLE (rx)", core.vectors.origin, core.vectors.bytes]] as const) : []),
  ];
  const memory = regions.map(([name, origin, bytes]) => `    ${name} : ORIGIN = ${hex(origin)}, LENGTH = ${bytes}`);
  return readAsset("verify/harness/cortex_m.ld")
    .replace("@MEMORY@", memory.join("\n"))
    .replace("@VECTORS@", core.vectors ? "TABLE" : "CODE");
}

/** Compiles `program` with the harness in `within.cwd` and leaves program.elf there. */
export async function buildArm(
  core: ArmCore,
  program: Program,
  options: RunOptions,
  within: ProcessOptions,
): Promise<ArmBuild> {
  const files = programFiles(program, {
    assets: ["harness/static_arena.h", "harness/port_cortex_m.c", "harness/start.S"],
    texts: { "cortex_m.ld": linkerScript(core) },
  });
  await writeFiles(within.cwd, files);
  const args = [
    ...core.flags,
    ...core.defines.map((define) => `-D${define}`),
    ...["-std=c99", options.optimization ?? "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"],
    ...["-ffunction-sections", "-fdata-sections", "-nostartfiles", "--specs=nano.specs"],
    ...["-Wl,--gc-sections", `-Wl,-T,${harnessPath("cortex_m.ld")}`],
    ...sourceArguments(files, options),
    ...["-lm", "-o", "program.elf"],
  ];
  await compile(core.target, findTool(gccName) ?? gccName, args, within);
  const file = await readFile(join(within.cwd, "program.elf"));
  return { file, elf: parseElf(file) };
}

/** The instructions of program.elf in `within.cwd`, by address. Throws TH5001 where Arm's binutils are missing. */
export async function disassemble(within: ProcessOptions): Promise<ReadonlyMap<number, Instruction>> {
  const objdump = findTool(objdumpName);
  if (objdump === null) throw new DiagnosticError([missingToolDiagnostic("cortex-m4", objdumpName, packages)]);
  // The newest architecture: what it names is a superset of the others.
  const args = ["-d", "--no-show-raw-insn", "-m", "armv8.1-m.main", "program.elf"];
  const result = await runProcess(objdump, args, { ...within, maxOutputBytes: 1 << 26 });
  return parseDisassembly(result.stdout);
}

const harnessSizes = new Map<string, Promise<ElfFile>>();

/** The harness linked with no model, to subtract from a program's sizes; built once per process, core and level. */
export function buildHarnessAlone(core: ArmCore, options: RunOptions): Promise<ElfFile> {
  const { optimization = "-O2", trace, timeoutMs } = options;
  const key = `${core.target} ${optimization} ${trace ?? false}`;
  let built = harnessSizes.get(key);
  if (built === undefined) {
    built = withTemporaryFolder(async (cwd) => {
      const within = { cwd, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
      return (await buildArm(core, emptyProgram, { optimization, ...(trace ? { trace } : {}) }, within)).elf;
    });
    // A failure is not kept: the next caller tries again.
    built.catch(() => harnessSizes.delete(key));
    harnessSizes.set(key, built);
  }
  return built;
}
