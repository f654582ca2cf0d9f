import { present } from "../base/assert.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { isImage, type LoweredNode, rowsOf } from "../ops/lower.js";
import type { RowWindow } from "../ops/spec.js";

/**
 * How a stage works through its rows. "rows": firing f computes output row f. "fold": firing f takes input row f, and the
 * last one gives the outputs. "whole": one firing. "view": one firing in which nothing happens. "push": firing f receives
 * row f of an input from the caller.
 */
export type StageMode = "rows" | "fold" | "whole" | "view" | "push";

/** A tensor that a stage reads. Rows are along axis 1; a tensor without rows counts as one. */
export interface StageRead {
  readonly tensor: TensorId;
  readonly rows: number;
  /** Rows that must be there before firing f. */
  readonly need: Int32Array;
  /** The first row that firing f or a later one still reads; after the last firing, `rows`. */
  readonly keep: Int32Array;
}

/** A tensor that a stage writes: row f in firing f ("rows", "push"), else all rows in the last firing. */
export interface StageWrite {
  readonly tensor: TensorId;
  readonly rows: number;
}

/** A node as a sequence of firings, which is all that scheduling knows of it. */
export interface Stage {
  readonly mode: StageMode;
  readonly firings: number;
  readonly reads: readonly StageRead[];
  readonly writes: readonly StageWrite[];
}

/** Tensors whose bytes lie in the arena and change: constants and resource handles do not. */
export const inArena = (t: Tensor): boolean => t.data === null && !t.variable && t.dtype !== "resource";

const wholeRead = (t: Tensor, firings: number): StageRead => ({
  tensor: t.id,
  rows: rowsOf(t),
  need: new Int32Array(firings).fill(rowsOf(t)),
  keep: Int32Array.from({ length: firings + 1 }, (_, f) => (f === firings ? rowsOf(t) : 0)),
});

function windowRead(t: Tensor, firings: number, { first, taps, dilation }: RowWindow): StageRead {
  const rows = rowsOf(t);
  const inside = (row: number): number => Math.min(Math.max(row, 0), rows);
  const firsts = Array.from({ length: firings }, (_, f) => first(f));
  return {
    tensor: t.id,
    rows,
    need: Int32Array.from(firsts, (row) => inside(row + (taps - 1) * dilation + 1)),
    keep: Int32Array.from([...firsts.map(inside), rows]),
  };
}

/** A tensor that is read twice counts once, with both needs. */
function merged(reads: readonly StageRead[]): readonly StageRead[] {
  const byTensor = new Map<TensorId, StageRead>();
  for (const read of reads) {
    const known = byTensor.get(read.tensor);
    const both = known && {
      ...read,
      need: read.need.map((n, f) => Math.max(n, present(known.need[f], "firing"))),
      keep: read.keep.map((k, f) => Math.min(k, present(known.keep[f], "firing"))),
    };
    byTensor.set(read.tensor, both ?? read);
  }
  return [...byTensor.values()];
}

function stageOf(lowered: LoweredNode, mode: "rows" | "fold" | "whole" | "view"): Stage {
  const { view, rows } = lowered;
  const folded: RowWindow = { first: (row) => row, taps: 1, dilation: 1 };
  const windows = mode === "rows" ? present(rows, "rows").windows : mode === "fold" ? [folded] : [];
  const [input] = view.inputs;
  const firings = mode === "rows" ? present(rows, "rows").count : mode === "fold" && input ? rowsOf(input) : 1;
  const reads = view.inputs.flatMap((t, i) => {
    if (t === null || !inArena(t)) return [];
    const window = windows[i];
    return [window ? windowRead(t, firings, window) : wholeRead(t, firings)];
  });
  const writes = view.outputs.filter(inArena).map((t) => ({ tensor: t.id, rows: rowsOf(t) }));
  return { mode, firings, reads: merged(reads), writes };
}

/** True if the node can be computed by rows of one image. */
function byRows({ rows, view }: LoweredNode): boolean {
  if (rows === null || rows.images !== 1 || rows.count === 0) return false;
  const windowed = view.inputs.filter((t, i): t is Tensor => t !== null && Boolean(rows.windows[i]));
  return [...view.outputs, ...windowed].every(isImage);
}

/** A node that runs on its own, all rows before the next node. */
export function stageAlone(lowered: LoweredNode, isView: boolean): Stage {
  if (isView) return stageOf(lowered, "view");
  return stageOf(lowered, byRows(lowered) ? "rows" : "whole");
}

/** A node that takes part in streaming, or null if it needs an input and gives an output in one piece. */
export function stageStreamed(lowered: LoweredNode): Stage | null {
  if (lowered.spec.traits.sideEffects || lowered.spec.traits.mutates.length > 0) return null;
  if (lowered.fold !== null) return stageOf(lowered, "fold");
  return byRows(lowered) ? stageOf(lowered, "rows") : null;
}

/** An input that the caller hands over row by row. */
export function stagePushed(graph: Graph, input: TensorId): Stage {
  const rows = rowsOf(tensorOf(graph, input));
  return { mode: "push", firings: rows, reads: [], writes: [{ tensor: input, rows }] };
}
