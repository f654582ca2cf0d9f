import type { Board, MemoryRegion } from "./board.js";

/** What a model needs of a board. */
export interface Need {
  /** Arenas together: every byte of RAM but the C stack. */
  readonly peakBytes: number;
  /** Weights and constants, or the whole image once it is linked. */
  readonly flashBytes: number;
  /** True if `flashBytes` includes code. */
  readonly linked: boolean;
  /** The arenas, by the names of the memories they are planned for, where there are several. */
  readonly arenas?: readonly { readonly name: string; readonly bytes: number }[];
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
  /** The region, or the regions with ` + ` between them. */
  readonly region: string;
}

/** A RAM region of a board that is used. */
export interface RegionFit {
  readonly name: string;
  readonly kind: MemoryRegion["kind"];
  readonly availableBytes: number;
  /** Arenas, and the stack where it lies here. */
  readonly usedBytes: number;
  /** True if the stack lies here. */
  readonly hasStack: boolean;
}

export interface BoardFit {
  readonly board: string;
  readonly fits: boolean;
  readonly sram: MemoryFit;
  /** The RAM regions that arenas and the stack lie in, fastest first; empty if they do not fit. */
  readonly regions: readonly RegionFit[];
  readonly flash: MemoryFit;
  /** What is in the way, in words; empty if it fits. */
  readonly obstacles: readonly string[];
}

const none: MemoryRegion = { name: "none", bytes: 0, kind: "internal" };

const largest = (regions: readonly MemoryRegion[]): MemoryRegion =>
  regions.reduce((best, r) => (r.bytes > best.bytes ? r : best), regions[0] ?? none);

function memoryFit(regions: readonly MemoryRegion[], neededBytes: number): MemoryFit {
  // The first region that holds it is the fastest one; the largest says best by how much it misses.
  const region = regions.find((r) => r.bytes >= neededBytes) ?? largest(regions);
  return { availableBytes: region.bytes, neededBytes, leftBytes: region.bytes - neededBytes, region: region.name };
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

/**
 * The region that holds the stack of a program whose arenas lie in several: the largest on-chip one, where vendors' linker
 * scripts put it, and the largest of all where there is none.
 */
const stackRegion = ({ sram }: Board): MemoryRegion => {
  const onChip = sram.filter((r) => r.kind === "internal");
  return largest(onChip.length > 0 ? onChip : sram);
};

/**
 * What arenas may have of each RAM region, fastest first: all of it, less the stack where that lies. None for an AVR, where
 * constants take RAM too, so that every byte counts.
 */
export const arenaRegions = (board: Board): readonly { readonly name: string; readonly bytes: number }[] =>
  board.core === "avr"
    ? []
    : board.sram.map((r) => {
        const stack = r === stackRegion(board) ? stackReserveBytes : 0;
        return { name: r.name, bytes: Math.max(0, r.bytes - stack) };
      });

/** Bytes that a single arena may have on a board: its largest RAM region less the stack, or one without a stack. */
export const arenaBudget = (board: Board): number => Math.max(0, ...arenaRegions(board).map((r) => r.bytes));

/** RAM regions with arenas and a stack in them. */
function regionFits(board: Board, used: ReadonlyMap<string, number>, stack: string): readonly RegionFit[] {
  return board.sram
    .map((r) => {
      const hasStack = r.name === stack;
      const usedBytes = (used.get(r.name) ?? 0) + (hasStack ? stackReserveBytes : 0);
      return { name: r.name, kind: r.kind, availableBytes: r.bytes, usedBytes, hasStack };
    })
    .filter((r) => r.usedBytes > 0);
}

/** Each arena in the region that it is planned for, or else in the fastest with room; null if one finds none. */
function placeArenas(board: Board, arenas: Need["arenas"] & {}): readonly RegionFit[] | null {
  const regions = arenaRegions(board);
  const used = new Map<string, number>();
  for (const { name, bytes } of arenas) {
    const hasRoom = (r: (typeof regions)[number]): boolean => (used.get(r.name) ?? 0) + bytes <= r.bytes;
    const region = regions.find((r) => r.name === name && hasRoom(r)) ?? regions.find(hasRoom);
    if (region === undefined) return null;
    used.set(region.name, (used.get(region.name) ?? 0) + bytes);
  }
  return regionFits(board, used, stackRegion(board).name);
}

/** What is needed of several regions against what they have. */
function joinedFit(regions: readonly RegionFit[]): MemoryFit {
  const total = (of: (r: RegionFit) => number): number => regions.reduce((sum, r) => sum + of(r), 0);
  const [availableBytes, neededBytes] = [total((r) => r.availableBytes), total((r) => r.usedBytes)];
  const region = regions.map((r) => r.name).join(" + ");
  return { availableBytes, neededBytes, leftBytes: availableBytes - neededBytes, region };
}

/** RAM: one arena and the stack in one region if one holds both, else every arena in a region of its own beside the stack. */
function ramFit(board: Board, need: Need): { readonly sram: MemoryFit; readonly regions: readonly RegionFit[] } {
  // An AVR reads constants through its data bus, so ordinary C keeps them in RAM as well as in flash.
  const constantsInRam = board.core === "avr" ? need.flashBytes : 0;
  const single = memoryFit(board.sram, need.peakBytes + stackReserveBytes + constantsInRam);
  const arenas = need.arenas ?? [];
  if (single.leftBytes >= 0 && arenas.length < 2)
    return {
      sram: single,
      regions: regionFits(board, new Map([[single.region, need.peakBytes + constantsInRam]]), single.region),
    };
  const regions = placeArenas(board, arenas.length > 0 ? arenas : [{ name: "", bytes: need.peakBytes }]);
  return regions === null ? { sram: single, regions: [] } : { sram: joinedFit(regions), regions };
}

/** Whether a model fits a board: its arenas and a stack in RAM regions, code and constants in one flash region. */
export function fitBoard(board: Board, need: Need): BoardFit {
  const { sram, regions } = ramFit(board, need);
  const flash = memoryFit(board.flash, need.flashBytes + (need.linked ? 0 : codeEstimateBytes));
  const ramObstacle =
    sram.leftBytes < 0
      ? `${kib(-sram.leftBytes)} of RAM too little (${sram.region} has ${kib(sram.availableBytes)}, ${kib(sram.neededBytes)} needed with the stack)`
      : `no RAM regions hold the ${need.arenas?.length ?? 1} arenas that are planned`;
  const obstacles = [
    ...(regions.length === 0 ? [ramObstacle] : []),
    ...(flash.leftBytes < 0
      ? [
          `${kib(-flash.leftBytes)} of flash too little (${flash.region} has ${kib(flash.availableBytes)}, ${kib(flash.neededBytes)} needed with code)`,
        ]
      : []),
  ];
  return { board: board.id, fits: obstacles.length === 0, sram, regions, flash, obstacles };
}
