import type { TensorId } from "../base/units.js";

/** What a buffer of the arena is for. `state` buffers keep their bytes between invocations. */
export type BufferKind = "input" | "output" | "activation" | "state" | "scratch";

/**
 * A byte range of the arena during a range of steps. `rows` x `rowBytes` is how much of its tensor the buffer holds at
 * a time: all rows in a layer-by-layer plan, a ring of a few in a streaming one.
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
  readonly firstStep: number;
  readonly lastStep: number;
}

/** One unit of execution: rows `firstRow` up to, not including, `endRow` of a node's output. */
export interface Step {
  readonly index: number;
  /** Index into the graph's nodes. */
  readonly node: number;
  readonly firstRow: number;
  readonly endRow: number;
  /** The scratch buffer's id, if the kernel takes one. */
  readonly scratch: number | null;
  /** The output is the input's bytes under another shape: nothing runs. */
  readonly elided: boolean;
  /** The input whose storage the output takes over while it is computed. */
  readonly inPlaceInput: number | null;
}

/** Where everything lives and when. */
export interface Plan {
  readonly strategy: "layers";
  readonly steps: readonly Step[];
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
  /** Bytes alive at each step: of all buffers, less what an output may share with an input that dies. */
  readonly liveBytes: readonly number[];
  /** Multiply-accumulates done more than once. */
  readonly recomputedMacs: number;
}
