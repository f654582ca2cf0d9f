import type { InstructionKind } from "./disassembly.js";

/**
 * How a core takes time, as far as its documents say. Memory answers at once: what flash and caches add is left to the
 * uncertainty of an estimate.
 */
export interface CoreTiming {
  /** Instructions that may begin in one cycle. */
  readonly issue: 1 | 2;
  /** Cycles before another instruction can begin; 1 for kinds that are not named, for those of several registers besides them. */
  readonly busy: Partial<Readonly<Record<InstructionKind, number>>>;
  /** Cycles from an instruction's begin until another can use its result; its busy cycles for kinds that are not named. */
  readonly latency: Partial<Readonly<Record<InstructionKind, number>>>;
  /** Registers that a load or store of several moves in a cycle; so many or fewer take a single one. */
  readonly registersPerCycle: 1 | 2;
  /** A load or store that comes right after one takes a single cycle. */
  readonly pipelinesLoads: boolean;
  /** Cycles of a jump besides the branch's own. */
  readonly jump: number;
  /** Vector instructions of one kind follow each other at this distance; those of other kinds may overlap. */
  readonly vectorBeats: number;
}

/**
 * Cortex-M4: Technical Reference Manual r0p1, table 3-1 and "load/store timings": single loads take two cycles, one each
 * where they follow each other; stores one, behind a write buffer; a branch refills a pipeline of three stages.
 */
const m4: CoreTiming = {
  issue: 1,
  busy: { load: 2, divide: 7, float: 1, floatMultiplyAdd: 3, floatDivide: 14, loadMultiple: 1, storeMultiple: 1 },
  latency: {},
  registersPerCycle: 1,
  pipelinesLoads: true,
  jump: 2,
  vectorBeats: 1,
};

/**
 * Cortex-M3: Technical Reference Manual r2p1, table 3-1: as the M4, but multiply-accumulate takes two cycles and long
 * multiplication three to five.
 */
const m3: CoreTiming = { ...m4, busy: { ...m4.busy, multiply: 1.5, longMultiply: 4 } };

/**
 * Cortex-M33: Technical Reference Manual r1p0; three stages, results of loads one cycle late.
 */
const m33: CoreTiming = {
  issue: 1,
  busy: { divide: 6, floatDivide: 14, floatMultiplyAdd: 2, loadMultiple: 1, storeMultiple: 1 },
  latency: { load: 2, multiply: 1, longMultiply: 2, divide: 6, floatDivide: 14, floatMultiplyAdd: 3 },
  registersPerCycle: 1,
  pipelinesLoads: false,
  jump: 2,
  vectorBeats: 1,
};

/**
 * Cortex-M7: Technical Reference Manual r1p2: two instructions in order in a cycle, of which one multiplies, one stores, one
 * branches; six stages, a predicted branch costs nothing more; loads of 64 bits.
 */
const m7: CoreTiming = {
  issue: 2,
  busy: { divide: 7, floatDivide: 14, loadMultiple: 1, storeMultiple: 1 },
  latency: { load: 2, multiply: 2, longMultiply: 2, divide: 8, float: 3, floatMultiplyAdd: 5, floatDivide: 16 },
  registersPerCycle: 2,
  pipelinesLoads: false,
  jump: 0,
  vectorBeats: 1,
};

/**
 * Cortex-M55: Technical Reference Manual r1p0 and Software Optimization Guide: one instruction in a cycle, 64 bits of a vector
 * in a cycle, so that vector instructions take two and those of different units overlap by one.
 */
const m55: CoreTiming = {
  issue: 1,
  busy: { divide: 6, floatDivide: 14, loadMultiple: 1, storeMultiple: 1 },
  latency: { load: 2, multiply: 2, longMultiply: 2, divide: 6, floatDivide: 14, floatMultiplyAdd: 4 },
  registersPerCycle: 2,
  pipelinesLoads: false,
  jump: 2,
  vectorBeats: 2,
};

/** Cortex-M0+: Technical Reference Manual r0p1, table 3-1, with the multiplier of one cycle. */
const m0plus: CoreTiming = {
  issue: 1,
  busy: { load: 2, store: 2, loadMultiple: 1, storeMultiple: 1 },
  latency: {},
  registersPerCycle: 1,
  pipelinesLoads: false,
  jump: 1,
  vectorBeats: 1,
};

/** Timing of the cores that are emulated here. */
export const coreTimings: Readonly<Record<string, CoreTiming>> = {
  "cortex-m0plus": m0plus,
  "cortex-m3": m3,
  "cortex-m4": m4,
  "cortex-m7": m7,
  "cortex-m33": m33,
  "cortex-m55": m55,
};
