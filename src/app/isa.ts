import type { Board } from "../boards/board.js";
import type { MeasuredCore } from "../cost/cycles.js";
import type { Isa } from "../ops/isa.js";
import type { TargetName } from "../verify/target.js";

/** The instructions that a board's core has. */
export function isaOfBoard({ core, dsp, helium }: Board): Isa {
  if (helium) return "helium";
  if (dsp) return "dsp";
  return core === "cortex-m0plus" ? "armv6m" : "portable";
}

/** The instructions that boards have in common. */
export function isaOfBoards(boards: readonly Board[]): Isa {
  const found = [...new Set(boards.map(isaOfBoard))];
  if (found.length === 1) return found[0] ?? "portable";
  // Every core with Helium has the DSP extension.
  return found.length > 0 && found.every((isa) => isa === "helium" || isa === "dsp") ? "dsp" : "portable";
}

const isaOfTargets: Readonly<Record<TargetName, Isa>> = {
  host: "portable",
  wasm: "portable",
  "cortex-m0plus": "armv6m",
  "cortex-m3": "portable",
  "cortex-m4": "dsp",
  "cortex-m7": "dsp",
  "cortex-m33": "dsp",
  "cortex-m55": "helium",
  rp2040: "armv6m",
};

/** The core whose measured cycles stand for kernels of those instructions where no board is named. */
export const typicalCore: Readonly<Record<Isa, MeasuredCore>> = {
  portable: "cortex-m4",
  armv6m: "cortex-m0plus",
  dsp: "cortex-m4",
  helium: "cortex-m55",
};

/** The instructions of an emulated target; portable for a name that is none. */
export const isaOfTarget = (name: string): Isa => isaOfTargets[name as TargetName] ?? "portable";
