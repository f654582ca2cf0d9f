import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "./index.js";
import type { Kernel, Parts } from "./spec.js";

/** Where a tensor's first element lies inside another image: its row, its pixel in that, and the channel. */
export interface Placement {
  readonly whole: TensorId;
  readonly row: number;
  readonly column: number;
  readonly channel: number;
}

/**
 * Tensors that lie inside others, so that joining and parting need no copy. `joined` is by part, for wholes that exist
 * because their parts do; `parted` by part, for parts of a whole that is computed or given.
 */
export interface Placements {
  readonly joined: ReadonlyMap<TensorId, Placement>;
  readonly parted: ReadonlyMap<TensorId, Placement>;
  /** The parts of each joined whole. */
  readonly partsOf: ReadonlyMap<TensorId, readonly TensorId[]>;
  /** Nodes that have nothing left to do. */
  readonly idle: ReadonlySet<Node>;
}

export const noPlacements: Placements = { joined: new Map(), parted: new Map(), partsOf: new Map(), idle: new Set() };

/** What is known of a node when placements are decided. */
export interface Placeable {
  readonly node: Node;
  readonly kernel: Kernel<object>;
  /** The node can be computed by rows of one image. */
  readonly byRows: boolean;
}

/** How scattered a part is: its rows lie apart, or even its pixels. */
type Scatter = "rows follow" | "rows apart" | "pixels apart";

const scatters = ["rows follow", "rows apart", "pixels apart"] as const;

const isPlain = (t: Tensor): boolean => t.data === null && !t.variable && t.dtype !== "resource";
const isImage4 = (t: Tensor): boolean => t.shape.length === 4 && t.shape[0] === 1;

function scatterOf(part: Tensor, whole: Tensor): Scatter {
  if (part.shape[3] !== whole.shape[3]) return "pixels apart";
  return part.shape[2] === whole.shape[2] ? "rows follow" : "rows apart";
}

/** The users of every tensor. */
interface Users {
  readonly producer: ReadonlyMap<TensorId, Placeable>;
  readonly readers: ReadonlyMap<TensorId, readonly Placeable[]>;
}

function usersOf(nodes: readonly Placeable[]): Users {
  const producer = new Map(nodes.flatMap((p) => p.node.outputs.map((id) => [id, p] as const)));
  const readers = new Map<TensorId, Placeable[]>();
  for (const p of nodes)
    for (const id of new Set(p.node.inputs)) if (id !== null) readers.set(id, [...(readers.get(id) ?? []), p]);
  return { producer, readers };
}

/** True if the node's kernel can read or write a tensor that is so scattered. */
function reaches({ byRows, kernel }: Placeable, scatter: Scatter): boolean {
  if (scatter === "rows follow") return true;
  return byRows && (scatter === "rows apart" || kernel.pixelSteps === true);
}

/** The parts of a node that joins or takes apart, else null. */
function partsOfNode(graph: Graph, node: Node): Parts | null {
  const { parts } = specOf(node).traits;
  return parts === "none" ? null : parts(viewOf(graph, node) as NodeView<object>);
}

const begins = ([, row = 0, column = 0, channel = 0]: readonly number[]) => ({ row, column, channel });

/** True if the tensors are images of which every part can lie inside the whole at all. */
function areImages({ whole, parts }: Parts): boolean {
  const tensors = parts.map((p) => p.tensor);
  const once = new Set(tensors.map((t) => t.id)).size === tensors.length;
  return once && [whole, ...tensors].every((t) => isPlain(t) && isImage4(t) && t.dtype === whole.dtype);
}

/** Decides about all nodes but the banned ones, taking for granted that joins which make parts become idle themselves. */
function attempt(graph: Graph, nodes: readonly Placeable[], users: Users, banned: ReadonlySet<Node>): Placements {
  const joined = new Map<TensorId, Placement>();
  const parted = new Map<TensorId, Placement>();
  const partsOf = new Map<TensorId, readonly TensorId[]>();
  const idle = new Set<Node>();
  /** How scattered the tensors are that have a place already. */
  const scattered = new Map<TensorId, Scatter>();
  const isPort = (id: TensorId): boolean => graph.inputs.includes(id) || graph.outputs.includes(id);
  const isFree = (id: TensorId): boolean => !joined.has(id) && !parted.has(id);
  const worse = (a: Scatter, b: Scatter): Scatter =>
    scatters[Math.max(scatters.indexOf(a), scatters.indexOf(b))] as Scatter;
  // Backwards, so that a whole has its place before its parts.
  for (const p of [...nodes].reverse()) {
    const found = banned.has(p.node) ? null : partsOfNode(graph, p.node);
    if (found === null || !areImages(found)) continue;
    const { whole, parts } = found;
    const joins = p.node.outputs.includes(whole.id);
    const outer = scattered.get(whole.id) ?? "rows follow";
    if (!joins && !isFree(whole.id)) continue;
    const fits = parts.every(({ tensor }) => {
      const scatter = worse(outer, scatterOf(tensor, whole));
      const maker = users.producer.get(tensor.id);
      if (isPort(tensor.id) || !isFree(tensor.id) || (joins && maker === undefined)) return false;
      const makers = joins && maker && partsOfNode(graph, maker.node) === null ? [maker] : [];
      const readers = (users.readers.get(tensor.id) ?? []).filter((u) => u !== p);
      return [...makers, ...readers].every((u) => reaches(u, scatter));
    });
    if (!fits) continue;
    idle.add(p.node);
    if (joins)
      partsOf.set(
        whole.id,
        parts.map((part) => part.tensor.id),
      );
    for (const { tensor, begin } of parts) {
      scattered.set(tensor.id, worse(outer, scatterOf(tensor, whole)));
      (joins ? joined : parted).set(tensor.id, { whole: whole.id, ...begins(begin) });
    }
  }
  return { joined, parted, partsOf, idle };
}

/**
 * Decides which tensors lie inside others. A part must be no port of the model, as those lie in one piece; whoever writes
 * or reads it must reach scattered rows or pixels; and a part lies in one whole only. A join of joins may be one whole.
 */
export function placementsOf(graph: Graph, nodes: readonly Placeable[]): Placements {
  if (!nodes.some(({ node }) => partsOfNode(graph, node) !== null)) return noPlacements;
  const users = usersOf(nodes);
  const banned = new Set<Node>();
  for (;;) {
    const placements = attempt(graph, nodes, users, banned);
    // A part that some node copies together after all must not be scattered by the node's reader.
    const wrong = [...placements.joined].flatMap(([part, { whole }]) => {
      const maker = users.producer.get(part);
      const copies = maker && partsOfNode(graph, maker.node) !== null && !placements.idle.has(maker.node);
      const joiner = users.producer.get(whole);
      return copies && joiner ? [joiner.node] : [];
    });
    if (wrong.length === 0) return placements;
    for (const node of wrong) banned.add(node);
  }
}

/** A tensor as a block of the outermost tensor that it lies in, which is itself if it lies in none. */
export function rootOf({ joined, parted }: Placements, id: TensorId): Placement {
  let at: Placement = { whole: id, row: 0, column: 0, channel: 0 };
  for (;;) {
    const outer = joined.get(at.whole) ?? parted.get(at.whole);
    if (outer === undefined) return at;
    at = {
      whole: outer.whole,
      row: at.row + outer.row,
      column: at.column + outer.column,
      channel: at.channel + outer.channel,
    };
  }
}

/** A tensor whose rows somebody computes, and the row of it that is row 0 of the tensor asked for; may be negative. */
export interface Leaf {
  readonly tensor: TensorId;
  readonly row: number;
}

/** The tensors that are computed or given and make up a tensor. */
export function leavesOf(placements: Placements, id: TensorId): readonly Leaf[] {
  const outer = placements.parted.get(id);
  if (outer !== undefined)
    return leavesOf(placements, outer.whole).map(({ tensor, row }) => ({ tensor, row: row + outer.row }));
  const parts = placements.partsOf.get(id);
  if (parts === undefined) return [{ tensor: id, row: 0 }];
  return parts.flatMap((part) => {
    const begin = placements.joined.get(part)?.row ?? 0;
    return leavesOf(placements, part).map(({ tensor, row }) => ({ tensor, row: row - begin }));
  });
}

/** Elements from pixel to pixel of the tensors among `tensors` that have other channels between theirs. */
export function pixelStepsOf(
  graph: Graph,
  placements: Placements,
  tensors: readonly (Tensor | null)[],
): ReadonlyMap<TensorId, number> {
  const steps = new Map<TensorId, number>();
  for (const t of tensors) {
    const root = t === null ? null : rootOf(placements, t.id).whole;
    if (t !== null && root !== null && root !== t.id) steps.set(t.id, tensorOf(graph, root).shape[3] ?? 1);
  }
  return steps;
}
