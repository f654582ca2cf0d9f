import { present } from "../base/assert.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type LoweredNode, rowsOf } from "../ops/lower.js";
import { leavesOf, noPlacements, rootOf } from "../ops/placement.js";
import { inArena, type Stage, stageAlone, stagePushed, stageStreamed } from "./stages.js";
import { tensorBytes } from "./tensors.js";

/** How the model's input reaches the arena: filled by the caller before the run, or handed over row by row. */
export type Feed = "resident" | "pushed";

/** What the planner puts into groups: a node, or the input that is pushed. */
export interface Unit {
  /** Index into the graph's nodes; null for a pushed input. */
  readonly node: number | null;
  readonly lowered: LoweredNode | null;
  readonly alone: Stage;
  /** Null if it cannot stream with others. */
  readonly streamed: Stage | null;
}

/** A tensor in the arena, and who touches it; positions are those of units. */
export interface Held {
  readonly tensor: Tensor;
  readonly rows: number;
  readonly rowBytes: number;
  readonly bytes: number;
  /** The tensor that it lies in (itself, mostly), that one's row where it begins, and all of that one's sizes. */
  readonly root: Tensor;
  readonly rootRow: number;
  readonly rootRows: number;
  readonly rootRowBytes: number;
  /** -1 for an input that is there from the start. */
  readonly producer: number;
  /** Positions of the readers, ascending, each once. */
  readonly readers: readonly number[];
  /** Must outlive the run. */
  readonly isOutput: boolean;
}

/** The planner's view of a graph: its units in order, and the tensors between them. */
export interface Network {
  readonly graph: Graph;
  readonly units: readonly Unit[];
  readonly held: ReadonlyMap<TensorId, Held>;
  /** The input that is pushed, if any. */
  readonly pushed: TensorId | null;
}

/** A view shares its input's bytes if both lie in the arena and the input may change hands. */
function isView(lowered: LoweredNode): boolean {
  const [input] = lowered.view.inputs;
  const [output] = lowered.view.outputs;
  if (!lowered.spec.traits.view || !input || !output) return false;
  // A part of another tensor does not begin where that does.
  if (rootOf(lowered.placements, input.id).whole !== input.id) return false;
  return inArena(input) && inArena(output) && tensorBytes(input) >= tensorBytes(output);
}

/** The network of a lowered graph. With feed "pushed", the first input is handed over row by row. */
export function networkOf(
  graph: Graph,
  nodes: readonly LoweredNode[],
  feed: Feed,
  sharing: "share" | "separate",
): Network {
  const [firstInput] = graph.inputs;
  const pushed =
    feed === "pushed" && firstInput !== undefined && inArena(tensorOf(graph, firstInput)) ? firstInput : null;
  const computing = nodes.map((lowered, node): Unit => {
    const view = sharing === "share" && isView(lowered);
    const streamed = view ? null : stageStreamed(graph, lowered);
    return { node, lowered, alone: stageAlone(graph, lowered, view), streamed };
  });
  const source = pushed === null ? null : stagePushed(graph, pushed);
  const units = source ? [{ node: null, lowered: null, alone: source, streamed: source }, ...computing] : computing;
  const producer = new Map<TensorId, number>(graph.inputs.map((id) => [id, -1]));
  const readers = new Map<TensorId, number[]>();
  units.forEach(({ alone }, position) => {
    for (const { tensor } of alone.writes) producer.set(tensor, position);
    for (const { tensor } of alone.reads) readers.set(tensor, [...(readers.get(tensor) ?? []), position]);
  });
  const placements = nodes[0]?.placements ?? noPlacements;
  const outputs = new Set(graph.outputs.flatMap((id) => leavesOf(placements, id).map((leaf) => leaf.tensor)));
  const held = new Map<TensorId, Held>();
  for (const [id, position] of producer) {
    const tensor = tensorOf(graph, id);
    if (!inArena(tensor)) continue;
    const rows = rowsOf(tensor);
    const bytes = tensorBytes(tensor);
    const place = rootOf(placements, id);
    const root = tensorOf(graph, place.whole);
    const rootRows = rowsOf(root);
    held.set(id, {
      tensor,
      rows,
      rowBytes: rows === 0 ? 0 : bytes / rows,
      bytes,
      root,
      rootRow: place.row,
      rootRows,
      rootRowBytes: rootRows === 0 ? 0 : tensorBytes(root) / rootRows,
      producer: position,
      readers: readers.get(id) ?? [],
      isOutput: outputs.has(id),
    });
  }
  return { graph, units, held, pushed };
}

/** What is known of a tensor in the arena. */
export const heldOf = (network: Network, id: TensorId): Held => present(network.held.get(id), "a tensor in the arena");

/** Scratch bytes of a unit's kernel in the given mode. */
export function scratchBytes(unit: Unit, stage: Stage): number {
  const { lowered } = unit;
  if (lowered === null || stage.mode === "view" || stage.mode === "push") return 0;
  if (stage.mode === "fold") return lowered.fold?.scratchBytes ?? 0;
  const call = stage.mode === "rows" && lowered.kernel.form === "row" ? lowered.rows?.call : lowered.whole;
  return (call ?? lowered.rows?.call)?.scratchBytes ?? 0;
}
