/**
 * Instructions that kernels are written for, and that a plan may be made for:
 * - "armv6m": Armv6-M (Cortex-M0+), 16-bit Thumb with a multiplier of 32 bits in one cycle; no SIMD, no long multiply.
 * - "dsp": SIMD within 32 bits, of Armv7E-M (Cortex-M4, M7) and of Armv8-M cores with the DSP extension (M33).
 * - "helium": the vectors of Armv8.1-M (Cortex-M55, M85), whose cores have the DSP extension too.
 * - "portable": whatever a C99 compiler makes.
 * Where a compiler has no such instructions, the same sources compute the same in C.
 */
export const isas = ["portable", "armv6m", "dsp", "helium"] as const;
export type Isa = (typeof isas)[number];

/** Kernels for `wanted` may run on `isa`; those for no instructions in particular run everywhere. */
export const runsOn = (wanted: Isa | undefined, isa: Isa): boolean =>
  wanted === undefined || wanted === isa || (wanted === "dsp" && isa === "helium");
