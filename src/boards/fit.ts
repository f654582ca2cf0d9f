import type { Board, MemoryRegion } from "./board.js";

/** What a model needs of a board. */
export interface Need {
  /** Arena: every byte of RAM but the C stack. */
  readonly peakBytes: number;
  /** Weights and constants, or the whole image once it is linked. */
  readonly flashBytes: number;
  /** True if `flashBytes` includes code. */
  readonly linked: boolean;
}

/** Stack of the model's deepest kernel, interrupts and a small main program. */
export const stackReserveBytes = 2048;
/** Start-up, kernels and schedule of a typical model, until the linker says. */
export const codeEstimateBytes = 16384;

/** One kind of memory of a board against what a model needs of it. */
export interface MemoryFit {
  readonly availableBytes: number;
  readonly neededBytes: number;
  /** Negative by how much it does not fit. */
  readonly leftBytes: number;
  readonly region: string;
}

export interface BoardFit {
  readonly board: string;
  readonly fits: boolean;
  readonly sram: MemoryFit;
  readonly flash: MemoryFit;
  /** What is in the way, in words; empty if it fits. */
  readonly obstacles: readonly string[];
}

const largest = (regions: readonly MemoryRegion[]): MemoryRegion =>
  regions.reduce(
    (best, r) => (r.bytes > best.bytes ? r : best),
    regions[0] ?? { name: "none", bytes: 0, kind: "internal" },
  );

function memoryFit(regions: readonly MemoryRegion[], neededBytes: number): MemoryFit {
  // The first region that holds it is the fastest one; the largest says best by how much it misses.
  const region = regions.find((r) => r.bytes >= neededBytes) ?? largest(regions);
  return { availableBytes: region.bytes, neededBytes, leftBytes: region.bytes - neededBytes, region: region.name };
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

/**
 * Bytes that an arena may have on a board: its largest RAM region less the stack. Zero for an AVR, where constants take RAM
 * too, so that every byte counts.
 */
export const arenaBudget = (board: Board): number =>
  board.core === "avr" ? 0 : Math.max(0, largest(board.sram).bytes - stackReserveBytes);

/** Whether a model fits a board: the arena and a stack in one RAM region, code and constants in one flash region. */
export function fitBoard(board: Board, need: Need): BoardFit {
  // An AVR reads constants through its data bus, so ordinary C keeps them in RAM as well as in flash.
  const constantsInRam = board.core === "avr" ? need.flashBytes : 0;
  const sram = memoryFit(board.sram, need.peakBytes + stackReserveBytes + constantsInRam);
  const flash = memoryFit(board.flash, need.flashBytes + (need.linked ? 0 : codeEstimateBytes));
  const obstacles = [
    ...(sram.leftBytes < 0
      ? [
          `${kib(-sram.leftBytes)} of RAM too little (${sram.region} has ${kib(sram.availableBytes)}, ${kib(sram.neededBytes)} needed with the stack)`,
        ]
      : []),
    ...(flash.leftBytes < 0
      ? [
          `${kib(-flash.leftBytes)} of flash too little (${flash.region} has ${kib(flash.availableBytes)}, ${kib(flash.neededBytes)} needed with code)`,
        ]
      : []),
  ];
  return { board: board.id, fits: obstacles.length === 0, sram, flash, obstacles };
}
