import type { TensorId } from "../base/units.js";
import type { StageMode } from "./stages.js";
import type { Feed } from "./units.js";

export type { Feed } from "./units.js";

/** What a buffer of the arena is for. `state` buffers keep their bytes between invocations. */
export type BufferKind = "input" | "output" | "activation" | "state" | "scratch";

/**
 * A byte range of the arena during a range of steps. `rows` x `rowBytes` is how much of its tensor the buffer holds at
 * a time: all rows, or a ring of the last few, row r in place r modulo `rows`.
 */
export interface Buffer {
  readonly id: number;
  readonly kind: BufferKind;
  /** The tensors that live here, one after another or as views of the same bytes; empty for scratch. */
  readonly tensors: readonly TensorId[];
  /** The variable that lives here, for `state` buffers of READ_VARIABLE and ASSIGN_VARIABLE. */
  readonly variable: string | null;
  readonly name: string;
  readonly bytes: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly alignment: number;
  /** From the start of the arena. */
  readonly offset: number;
  /** Steps between which it is alive, both included. */
  readonly firstStep: number;
  readonly lastStep: number;
}

/** How one node of the graph is executed; a step has its node's index. */
export interface Step {
  readonly index: number;
  readonly group: number;
  /** "view": the output is the input's bytes under another shape, and nothing runs. */
  readonly mode: Exclude<StageMode, "push">;
  /** The scratch buffer's id, if the kernel takes one. */
  readonly scratch: number | null;
  /** The input whose storage the output takes over while it is computed. */
  readonly inPlaceInput: number | null;
}

/** An entry of a group's order: the step that computes its next row, or the arrival of a pushed row. */
export type Firing = number | "push";

/** Steps that run together: one that runs on its own, or several that stream rows to each other. */
export interface PlannedGroup {
  readonly firstStep: number;
  /** Not included. */
  readonly endStep: number;
  /** All firings in order, for groups of several steps and those that receive pushed rows; null for a step on its own. */
  readonly order: readonly Firing[] | null;
  /** The buffer of its place in the order and of the rows done by each step. */
  readonly cursor: number | null;
}

/** Where everything lives and when. */
export interface Plan {
  /** "layers": every step runs on its own. "rows": some stream rows to each other. */
  readonly strategy: "layers" | "rows";
  readonly feed: Feed;
  /** The input that is handed over row by row, if any. */
  readonly pushed: TensorId | null;
  readonly steps: readonly Step[];
  readonly groups: readonly PlannedGroup[];
  readonly buffers: readonly Buffer[];
  /** The buffer of every tensor that has storage in the arena. */
  readonly bufferOf: ReadonlyMap<TensorId, Buffer>;
  readonly bufferOfVariable: ReadonlyMap<string, Buffer>;
  /** Bytes of the arena: the largest end of any buffer, rounded up to the arena's alignment. */
  readonly arenaBytes: number;
  readonly arenaAlignment: number;
  /** Every byte of RAM that inference needs besides the C stack. */
  readonly peakBytes: number;
  /** The step at which most bytes are live. */
  readonly peakStep: number;
  /** The most bytes alive while each step runs: rows that are there and still needed, rings, scratch, cursors. */
  readonly liveBytes: readonly number[];
  /** Multiply-accumulates done more than once. */
  readonly recomputedMacs: number;
}
