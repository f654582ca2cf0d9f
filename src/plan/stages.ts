import { present } from "../base/assert.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { isByRows, type LoweredNode, rowsOf } from "../ops/lower.js";
import { leavesOf } from "../ops/placement.js";
import type { RowWindow } from "../ops/spec.js";

/**
 * How a stage works through its rows. "rows": firing f computes output row f. "fold": firing f takes input row f, and the
 * last one gives the outputs. "whole": one firing. "view": nothing runs, in one firing or none. "push": firing f receives
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

/** Row `row` of a tensor as a row of a leaf that has `rows` rows. */
const inside = (row: number, rows: number): number => Math.min(Math.max(row, 0), rows);

/** A reader of rows `from(f)` up to `to(f)` of a tensor, as a reader of one of the leaves that make it up. */
function leafRead(
  { leaf, shift, rows }: { readonly leaf: TensorId; readonly shift: number; readonly rows: number },
  firings: number,
  from: (firing: number) => number,
  to: (firing: number) => number,
): StageRead {
  const all = Array.from({ length: firings }, (_, f) => f);
  return {
    tensor: leaf,
    rows,
    need: Int32Array.from(all, (f) => inside(to(f) + shift, rows)),
    keep: Int32Array.from([...all.map((f) => inside(from(f) + shift, rows)), rows]),
  };
}

/** What a node reads of one of its inputs, as rows of the tensors that somebody computes. */
function readsOf(
  graph: Graph,
  lowered: LoweredNode,
  t: Tensor,
  firings: number,
  window: RowWindow | null,
): StageRead[] {
  const height = rowsOf(t);
  const from = (f: number): number => (window ? inside(window.first(f), height) : 0);
  const to = (f: number): number =>
    window ? inside(window.first(f) + (window.taps - 1) * window.dilation + 1, height) : height;
  return leavesOf(lowered.placements, t.id).map(({ tensor, row }) =>
    leafRead({ leaf: tensor, shift: row, rows: rowsOf(tensorOf(graph, tensor)) }, firings, from, to),
  );
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

/** A node that has nothing to do, as its inputs or outputs lie where they should. */
const idleStage: Stage = { mode: "view", firings: 0, reads: [], writes: [] };

function stageOf(graph: Graph, lowered: LoweredNode, mode: "rows" | "fold" | "whole" | "view"): Stage {
  const { view, rows } = lowered;
  const folded: RowWindow = { first: (row) => row, taps: 1, dilation: 1 };
  const windows = mode === "rows" ? present(rows, "rows").windows : mode === "fold" ? [folded] : [];
  const [input] = view.inputs;
  const firings = mode === "rows" ? present(rows, "rows").count : mode === "fold" && input ? rowsOf(input) : 1;
  const reads = view.inputs.flatMap((t, i) => {
    if (t === null || !inArena(t)) return [];
    return readsOf(graph, lowered, t, firings, windows[i] ?? null);
  });
  const writes = view.outputs.filter(inArena).map((t) => ({ tensor: t.id, rows: rowsOf(t) }));
  return { mode, firings, reads: merged(reads), writes };
}

/** A node that runs on its own, all rows before the next node. */
export function stageAlone(graph: Graph, lowered: LoweredNode, isView: boolean): Stage {
  if (lowered.placements.idle.has(lowered.node)) return idleStage;
  if (isView) return stageOf(graph, lowered, "view");
  return stageOf(graph, lowered, isByRows(lowered) ? "rows" : "whole");
}

/** A node that takes part in streaming, or null if it needs an input and gives an output in one piece. */
export function stageStreamed(graph: Graph, lowered: LoweredNode): Stage | null {
  if (lowered.placements.idle.has(lowered.node)) return idleStage;
  if (lowered.spec.traits.sideEffects || lowered.spec.traits.mutates.length > 0) return null;
  if (lowered.fold !== null) return stageOf(graph, lowered, "fold");
  return isByRows(lowered) ? stageOf(graph, lowered, "rows") : null;
}

/** An input that the caller hands over row by row. */
export function stagePushed(graph: Graph, input: TensorId): Stage {
  const rows = rowsOf(tensorOf(graph, input));
  return { mode: "push", firings: rows, reads: [], writes: [{ tensor: input, rows }] };
}
