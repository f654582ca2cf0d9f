import type { Diagnostic } from "../base/diagnostics.js";

/** Every place where generated C can be executed; `rp2040` runs the Cortex-M0+ code on an emulator that counts cycles. */
export const targetNames = [
  "host",
  "wasm",
  "cortex-m0plus",
  "cortex-m3",
  "cortex-m4",
  "cortex-m7",
  "cortex-m33",
  "cortex-m55",
  "rp2040",
] as const;

export type TargetName = (typeof targetNames)[number];

/** A range of bytes of one of a model's arenas. */
export interface ArenaRange {
  /** Which arena; the first unless given. */
  readonly region?: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What the harness needs to know of one generated model. */
export interface ProgramModel {
  /** The C prefix: the model is `NAME_init` and `NAME_invoke` (or the push functions), declared by `NAME.h`. */
  readonly name: string;
  /** The input that is pushed row by row; its range has no meaning but its size. */
  readonly pushed?: { readonly index: number; readonly rows: number; readonly rowBytes: number } | null;
  /** Rows that `NAME_push_hop` takes, for incremental inference; a request that keeps the state then is one hop of rows. */
  readonly hopRows?: number | null;
  /** The size of the caller's buffer, aligned to 16. */
  readonly arenaBytes: number;
  /** The sizes of all of them, for a model with several; `NAME_init` then takes the address of each. */
  readonly regions?: readonly { readonly bytes: number }[];
  readonly inputs: readonly ArenaRange[];
  readonly outputs: readonly ArenaRange[];
  /** Ranges that no buffer ever uses: painted before `NAME_init`, checked after every invoke. */
  readonly gaps: readonly ArenaRange[];
}

/** Generated C and its models; several models link into one program. */
export interface Program {
  /** File name, possibly with folders, to text. Every `.c` and `.S` is compiled; the root is on the include path. */
  readonly files: ReadonlyMap<string, string>;
  readonly models: readonly ProgramModel[];
}

/** One inference. */
export interface RunRequest {
  /** Index into `Program.models`. */
  readonly model: number;
  /** As many bytes for each input as the model says. */
  readonly inputs: readonly Uint8Array[];
  /** Keeps the arena of the request before it, which must be of the same model, and does not call `NAME_init`. */
  readonly keepState?: true;
}

/** What one `TH_TRACE` reported: which output of which step, its size, and its FNV-1a 32 hash in eight hex digits. */
export interface TraceRecord {
  readonly step: number;
  readonly output: number;
  readonly bytes: number;
  readonly hash: string;
}

/** What one step of a model took. */
export interface StepCost {
  /** The step's index in the plan; -1 for what runs after the last step. */
  readonly step: number;
  readonly instructions: number;
  readonly cycles: number;
}

/** Instructions by what they do, and how many jumps are taken. Those that move several registers count once. */
export interface InstructionMix {
  readonly loads: number;
  readonly stores: number;
  readonly multiplies: number;
  readonly arithmetic: number;
  readonly branches: number;
  readonly float: number;
  /** Of Helium. */
  readonly vector: number;
  readonly jumps: number;
}

/** The result of one request. */
export interface RunResult {
  readonly outputs: readonly Uint8Array[];
  /** Executed within `NAME_invoke`, its own return included and the call to it not. Absent when tracing, host, wasm. */
  readonly instructions?: number;
  /**
   * Core cycles of the same instructions: as the emulator counts them (rp2040), or, of a profile, by the core's documented
   * timing (timing/cores.ts), memory without wait states. Absent when tracing.
   */
  readonly cycles?: number;
  /** Of a profile. */
  readonly mix?: InstructionMix;
  /** Of a profile by steps: in the plan's order. */
  readonly steps?: readonly StepCost[];
  /** False when a gap, or a guard around the arena, was written. */
  readonly canariesIntact: boolean;
  /** In the order of execution; empty unless tracing. */
  readonly trace: readonly TraceRecord[];
}

/** The results of all requests and what they cost. Sizes are those of the whole program; see `harness*Bytes`. */
export interface TargetReport {
  /** One per request, in their order. */
  readonly runs: readonly RunResult[];
  /** The most stack that any `NAME_invoke` touched, below the stack pointer of the call. Absent when tracing. */
  readonly stackBytes?: number;
  /** Code, constants and the images of initialised data. */
  readonly flashBytes?: number;
  /** Initialised and zeroed data with the arena, without the stack. */
  readonly ramBytes?: number;
  /** What of `flashBytes` a program with no model has too: start-up, harness and the C library parts it uses. */
  readonly harnessFlashBytes?: number;
  /** What of `ramBytes` a program with no model has too. */
  readonly harnessRamBytes?: number;
}

/** How a program is compiled and run. */
export interface RunOptions {
  /** "off": the host runs as fast as it can instead of under sanitizers, for many inferences. Default "on". */
  readonly sanitizers?: "on" | "off";
  /** Records every `TH_TRACE`; instructions and stack are then not reported, since tracing would count too. */
  readonly trace?: true;
  /**
   * "cycles" estimates cycles on emulated cores; "steps" tells them for each step too, which marks in the program show: they
   * add no instruction but may keep the compiler from merging code across steps.
   */
  readonly profile?: "cycles" | "steps";
  readonly signal?: AbortSignal;
  /** Per compiler or emulator process; five minutes unless told. */
  readonly timeoutMs?: number;
  /** The compiler's level; "-O2" unless told. The host always uses -O1, which suits its sanitizers. */
  readonly optimization?: "-O2" | "-Os" | "-O3";
}

/** A place to execute generated C. */
export interface Target {
  readonly name: TargetName;
  /** TH5001 with the way to install what is missing, or null when the target can run here. */
  missingTool(): Diagnostic | null;
  /**
   * Compiles the program, runs the requests in one process, and reports.
   * @throws DiagnosticError TH5001 a tool is missing, TH5003 the compiler rejects the code, TH5004 the program dies or
   *   takes too long, TH5005 it does not fit, TH6002 an input of the wrong size; and the signal's reason when aborted.
   */
  run(program: Program, requests: readonly RunRequest[], options: RunOptions): Promise<TargetReport>;
}
