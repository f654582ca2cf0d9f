import type { Board, MemoryRegion } from "./board.js";

/** What a board gets from its core alone. */
export type CoreTraits = Pick<Board, "core" | "fpu" | "dsp" | "helium" | "emulated">;

const plain = { fpu: "none", dsp: false, helium: false } as const;
const singleDsp = { fpu: "single", dsp: true, helium: false } as const;
const helium = { fpu: "double", dsp: true, helium: true, emulated: "cortex-m55" } as const;

/** Cores as the boards of the table have them; an M7's FPU is a licensing choice, so there are two of it. */
export const cores = {
  avr: { core: "avr", ...plain, emulated: null },
  m0plus: { core: "cortex-m0plus", ...plain, emulated: "cortex-m0plus" },
  m4: { core: "cortex-m4", ...singleDsp, emulated: "cortex-m4" },
  m7Single: { core: "cortex-m7", ...singleDsp, emulated: "cortex-m7" },
  m7Double: { core: "cortex-m7", ...singleDsp, fpu: "double", emulated: "cortex-m7" },
  m33: { core: "cortex-m33", ...singleDsp, emulated: "cortex-m33" },
  m55: { core: "cortex-m55", ...helium },
  m85: { core: "cortex-m85", ...helium },
  lx6: { core: "xtensa-lx6", ...plain, fpu: "single", emulated: null },
  // The LX7 of the ESP32-S3 has 128-bit vectors of Espressif's own, which `dsp` does not mean.
  lx7: { core: "xtensa-lx7", ...plain, fpu: "single", emulated: null },
  riscv: { core: "riscv32", ...plain, emulated: null },
} as const satisfies Record<string, CoreTraits>;

/** Bytes in a KiB. */
export const kib = 1024;

/** Bytes in a MiB. */
export const mib = 1024 * kib;

/** Memory on the chip. */
export const onChip = (name: string, bytes: number): MemoryRegion => ({ name, bytes, kind: "internal" });

/** Memory the core reaches without a bus, in one cycle. */
export const tightlyCoupled = (name: string, bytes: number): MemoryRegion => ({ name, bytes, kind: "tcm" });

/** Memory in another chip of the board, mapped into the address space. */
export const offChip = (name: string, bytes: number): MemoryRegion => ({ name, bytes, kind: "external" });
