import { present } from "../base/assert.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { Plan } from "../plan/plan.js";
import { tensorBytes } from "../plan/tensors.js";
import { pushedInput } from "./push.js";

interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** Where a program that drives a generated model finds its inputs and outputs, and which bytes must stay untouched. */
export interface ArenaLayout {
  readonly arenaBytes: number;
  /** The input that is pushed row by row, which has no place of its own, or null. */
  readonly pushed: { readonly index: number; readonly rows: number; readonly rowBytes: number } | null;
  readonly inputs: readonly Range[];
  readonly outputs: readonly Range[];
  /** Ranges of the arena that no buffer ever covers. */
  readonly gaps: readonly Range[];
}

/** The ranges of [0, end) that none of `covered` touches. */
function gapsBetween(covered: readonly Range[], end: number): readonly Range[] {
  const gaps: Range[] = [];
  let cursor = 0;
  for (const { offset, bytes } of covered.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > cursor) gaps.push({ offset: cursor, bytes: offset - cursor });
    cursor = Math.max(cursor, offset + bytes);
  }
  if (end > cursor) gaps.push({ offset: cursor, bytes: end - cursor });
  return gaps;
}

/** The layout of a planned graph's arena. */
export function arenaLayout(graph: Graph, plan: Plan): ArenaLayout {
  const arenaBytes = Math.max(plan.arenaBytes, 1);
  const range = (id: Graph["inputs"][number]): Range => ({
    offset: present(plan.bufferOf.get(id), "storage of a port").offset,
    bytes: tensorBytes(tensorOf(graph, id)),
  });
  return {
    arenaBytes,
    pushed: pushedInput({ graph, plan }),
    inputs: graph.inputs.map(range),
    outputs: graph.outputs.map(range),
    gaps: gapsBetween(plan.buffers, arenaBytes),
  };
}
