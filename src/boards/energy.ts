import type { Board, Core } from "./board.js";

/** Energy of a core that computes, with its memories and regulator, per cycle. */
export interface CycleEnergy {
  readonly picojoules: number;
  /** From the least to the most that is likely, as factors. */
  readonly factors: readonly [low: number, high: number];
  readonly source: string;
}

/** How far one run of a measured board may be from another. */
const measured = [0.9, 1.1] as const;
/** How far parts with the same core are apart: by process, voltage and regulator. */
const sameCore = [0.3, 3] as const;

const mlperf = "MLPerf Tiny energy of keyword spotting over its cycles";

const ofBoards: Readonly<Record<string, CycleEnergy>> = {
  "nucleo-l4r5zi": { picojoules: 276, factors: measured, source: `${mlperf}, NUCLEO-L4R5ZI` },
  "nucleo-h7a3zi-q": { picojoules: 434, factors: measured, source: `${mlperf}, NUCLEO-H7A3ZI-Q` },
  "nucleo-u385rg-q": { picojoules: 53, factors: measured, source: `${mlperf}, NUCLEO-U385RG-Q` },
};

const ofCores: Partial<Readonly<Record<Core, CycleEnergy>>> = {
  "cortex-m4": { picojoules: 276, factors: sameCore, source: `${mlperf}, another Cortex-M4` },
  "cortex-m7": { picojoules: 434, factors: sameCore, source: `${mlperf}, another Cortex-M7` },
  "cortex-m33": { picojoules: 53, factors: [0.7, 6], source: `${mlperf}, a Cortex-M33 made for low power` },
};

/** What is known of a board's energy per cycle; null where nobody has published any for its core. */
export const cycleEnergy = ({ id, core }: Board): CycleEnergy | null => ofBoards[id] ?? ofCores[core] ?? null;
