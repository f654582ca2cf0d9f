import type { TensorId } from "../base/units.js";
import type { RowWindow } from "../ops/spec.js";
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
  /** The arena it lies in: an index into the plan's regions. */
  readonly region: number;
  /** From the start of that arena. */
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

/** RAM that one arena lies in. */
export interface PlanRegion {
  /** The board's name of it, or "RAM" for a plan that knows no board. */
  readonly name: string;
  /** Bytes of the arena. */
  readonly bytes: number;
}

/**
 * Something that happens several times per hop of incremental inference, its R-th time to row R, counting on from window to
 * window. "arrive": a row of the input comes. "rows": a step computes a row. "keep": a row goes to the end of a copy of its
 * tensor's window, which lies in one piece and moves up by a hop at the first row of each.
 */
export interface PlannedStage {
  readonly kind: "arrive" | "rows" | "keep";
  /** The step of "rows". */
  readonly step: number | null;
  /** The tensor whose rows these are. */
  readonly tensor: TensorId | null;
  /** Rows of a window, and those that a hop adds. */
  readonly rows: number;
  readonly hop: number;
  /** The number of the first hop's first row: negative where the first hops bring rows that no window needs. */
  readonly start: number;
  /** Numbers go back to 0 here: all places of rows repeat. */
  readonly period: number;
  /** For each input of the step its window over numbered rows, or null for a constant that is read in full. */
  readonly windows: readonly (RowWindow | null)[];
}

/** How a plan computes only what a hop of new input rows changes. */
export interface IncrementalPlan {
  /** Input rows of a hop, and of a window. */
  readonly hop: number;
  readonly rows: number;
  /** Hops up to and including the one that completes the first window. */
  readonly hops: number;
  /** The first is the input's arrival. */
  readonly stages: readonly PlannedStage[];
  /** Indices of stages, one for each firing of a hop; the groups of the plan follow. */
  readonly order: readonly number[];
  /** Where stages find rows: row r in place r modulo the buffer's rows. The groups use `bufferOf`. */
  readonly ringOf: ReadonlyMap<TensorId, Buffer>;
  /** The buffer of the counters. */
  readonly counters: number;
  /** Multiply-accumulates of a hop. */
  readonly macs: number;
}

/** Where everything lives and when. */
export interface Plan {
  /** "layers": every step runs on its own. "rows": some stream rows to each other. */
  readonly strategy: "layers" | "rows";
  readonly feed: Feed | "incremental";
  /** Not null for feed "incremental". */
  readonly incremental: IncrementalPlan | null;
  /** The input that is handed over row by row, if any. */
  readonly pushed: TensorId | null;
  readonly steps: readonly Step[];
  readonly groups: readonly PlannedGroup[];
  readonly buffers: readonly Buffer[];
  /** The buffer of every tensor that has storage in the arena. */
  readonly bufferOf: ReadonlyMap<TensorId, Buffer>;
  readonly bufferOfVariable: ReadonlyMap<string, Buffer>;
  /** The arenas, fastest memory first: one, unless no single memory of a board holds everything. */
  readonly regions: readonly PlanRegion[];
  /** Bytes of the first arena: the largest end of any buffer in it, rounded up to the alignment of buffers. */
  readonly arenaBytes: number;
  readonly arenaAlignment: number;
  /** Every byte of RAM that inference needs besides the C stack: all arenas together. */
  readonly peakBytes: number;
  /** The step at which most bytes are live. */
  readonly peakStep: number;
  /** The most bytes alive while each step runs: rows that are there and still needed, rings, scratch, cursors. */
  readonly liveBytes: readonly number[];
  /** Multiply-accumulates done more than once. */
  readonly recomputedMacs: number;
}
