/** Time and energy of one inference on a board, by estimate. */
import type { Board, Core } from "../boards/board.js";
import { cycleEnergy } from "../boards/energy.js";
import { calibration, type MeasuredCore } from "../cost/cycles.js";
import type { PlannedModel } from "./compile.js";
import { planCycles } from "./kernels.js";

/** A value that is not known exactly: what is expected, and what it lies between. */
export interface Estimate {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** One inference on a board. */
export interface Latency {
  readonly board: string;
  readonly cycles: Estimate;
  readonly milliseconds: Estimate;
  /** Null where no energy of such a core is published. */
  readonly microjoules: Estimate | null;
  /** What the figures rest on, in words. */
  readonly basis: string;
}

/** The core whose measured cycles stand for a board's. */
const measuredAs: Partial<Readonly<Record<Core, MeasuredCore>>> = {
  "cortex-m0plus": "cortex-m0plus",
  "cortex-m4": "cortex-m4",
  "cortex-m7": "cortex-m7",
  "cortex-m33": "cortex-m33",
  "cortex-m55": "cortex-m55",
  // Its own timing is not emulated; it runs the same code in fewer cycles.
  "cortex-m85": "cortex-m55",
};

/**
 * What real parts make of cycles by documented timing: caches and wait states of flash lengthen them; on cores that begin two
 * instructions at once the documents say too little of which. Factors from least to most.
 */
const reality: Readonly<Record<MeasuredCore, readonly [low: number, high: number]>> = {
  "cortex-m0plus": [1, 1.3],
  "cortex-m4": [0.95, 1.25],
  "cortex-m33": [0.9, 1.25],
  "cortex-m7": [0.75, 1.3],
  "cortex-m55": [0.8, 1.5],
};

const times = ({ expected, low, high }: Estimate, factor: number): Estimate => ({
  expected: expected * factor,
  low: low * factor,
  high: high * factor,
});

/** Cycles of a plan on a core: kernels by their calibrated weights, and the schedule. */
function cyclesOf({ nodes, plan }: PlannedModel, core: MeasuredCore): Estimate {
  const expected = planCycles(nodes, plan, core);
  const [fitLow, fitHigh] = calibration().cores[core].error;
  const [low, high] = reality[core];
  return { expected, low: (expected / fitHigh) * low, high: (expected / fitLow) * high };
}

/** One inference of a planned model on a board at its highest clock; null where no emulator stands for the board's core. */
export function latencyOf(planned: PlannedModel, board: Board): Latency | null {
  const core = measuredAs[board.core];
  if (core === undefined) return null;
  const cycles = cyclesOf(planned, core);
  const energy = cycleEnergy(board);
  const microjoules =
    energy === null
      ? null
      : {
          expected: (cycles.expected * energy.picojoules) / 1e6,
          low: (cycles.low * energy.picojoules * energy.factors[0]) / 1e6,
          high: (cycles.high * energy.picojoules * energy.factors[1]) / 1e6,
        };
  return {
    board: board.id,
    cycles,
    milliseconds: times(cycles, 1 / (board.clockMhz * 1000)),
    microjoules,
    basis: `${core} timing of measured kernels at ${board.clockMhz} MHz${energy === null ? "" : `; energy: ${energy.source}`}`,
  };
}
