import { present } from "../base/assert.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { Plan, PlanRegion } from "../plan/plan.js";
import { tensorBytes } from "../plan/tensors.js";
import { pushedInput } from "./push.js";

interface Range {
  /** The arena: an index into the layout's regions. */
  readonly region: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Where a program that drives a generated model finds its inputs and outputs, and which bytes must stay untouched. */
export interface ArenaLayout {
  /** The arenas: the name of each one's memory, and its size. */
  readonly regions: readonly PlanRegion[];
  /** Bytes of the first arena. */
  readonly arenaBytes: number;
  /** The input that is pushed row by row, which has no place of its own, or null. */
  readonly pushed: { readonly index: number; readonly rows: number; readonly rowBytes: number } | null;
  /** Rows of the pushed input that NAME_push_hop takes at a time, for incremental inference, or null. */
  readonly hopRows: number | null;
  readonly inputs: readonly Range[];
  readonly outputs: readonly Range[];
  /** Ranges of the arenas that no buffer ever covers. */
  readonly gaps: readonly Range[];
}

/** The ranges of [0, end) of an arena that none of `covered` touches. */
function gapsBetween(covered: readonly Range[], region: number, end: number): readonly Range[] {
  const gaps: Range[] = [];
  let cursor = 0;
  for (const { offset, bytes } of covered.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > cursor) gaps.push({ region, offset: cursor, bytes: offset - cursor });
    cursor = Math.max(cursor, offset + bytes);
  }
  if (end > cursor) gaps.push({ region, offset: cursor, bytes: end - cursor });
  return gaps;
}

/** The layout of a planned graph's arenas. */
export function arenaLayout(graph: Graph, plan: Plan): ArenaLayout {
  const regions = plan.regions.map((r) => ({ ...r, bytes: Math.max(r.bytes, 1) }));
  const range = (id: Graph["inputs"][number]): Range => {
    const { region, offset } = present(plan.bufferOf.get(id), "storage of a port");
    return { region, offset, bytes: tensorBytes(tensorOf(graph, id)) };
  };
  return {
    regions,
    arenaBytes: regions[0]?.bytes ?? 1,
    pushed: pushedInput({ graph, plan }),
    hopRows: plan.incremental?.hop ?? null,
    inputs: graph.inputs.map(range),
    outputs: graph.outputs.map(range),
    gaps: regions.flatMap(({ bytes }, region) =>
      gapsBetween(
        plan.buffers.filter((b) => b.region === region),
        region,
        bytes,
      ),
    ),
  };
}
