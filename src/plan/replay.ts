import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { rowsOf } from "../ops/lower.js";
import { leavesOf, type Placements, rootOf } from "../ops/placement.js";
import { memoryMap, type ValueId } from "./memory-map.js";
import type { Buffer, Plan } from "./plan.js";
import { tensorBytes } from "./tensors.js";

/** What to do about a plan that does not pass. */
export const defect = "this is a defect of the planner: report it with the model";

/** Rows `first` up to, not including, `end`. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

export const allRows = (t: Tensor): RowRange => ({ first: 0, end: rowsOf(t) });

/** The state of a replay: what every byte of the arena holds, and the value that each tensor stands for. */
export interface Replay {
  /** The tensor gets a new value, of which nothing is written yet. */
  readonly begin: (t: Tensor) => void;
  /** Rows of the tensor's value are written to their places. */
  readonly write: (t: Tensor, rows: RowRange) => void;
  /** The target is the same bytes as the source from now on. */
  readonly alias: (target: Tensor, source: Tensor) => void;
  /** Throws if a row is not in its place. */
  readonly check: (t: Tensor, rows: RowRange, where: string, when: string) => void;
  /** Fills a buffer that has no tensor, and returns a check that it is untouched since. */
  readonly occupy: (buffer: Buffer, where: string) => () => void;
}

/**
 * The value of a tensor. One with others inside owns places for rows, and what row lies in them is known for each of the
 * others: they are written at different times, side by side.
 */
interface RootValue {
  readonly value: ValueId;
  readonly begun: Set<TensorId>;
  readonly rowAt: Map<TensorId, Map<number, number>>;
}

/** True if two tensors that lie in the same one have columns and channels in common. */
function meets(graph: Graph, placements: Placements, a: TensorId, b: TensorId): boolean {
  const [x, y] = [rootOf(placements, a), rootOf(placements, b)];
  const [s, t] = [tensorOf(graph, a).shape, tensorOf(graph, b).shape];
  const apart = (from: number, size: number, other: number, otherSize: number): boolean =>
    from + size <= other || other + otherSize <= from;
  return !(apart(x.column, s[2] ?? 1, y.column, t[2] ?? 1) || apart(x.channel, s[3] ?? 1, y.channel, t[3] ?? 1));
}

/** Arenas are this far from each other in the replay's memory: more than any arena has. */
const regionSpan = 2 ** 40;

/** The address of a buffer in the replay's memory. */
const addressOf = ({ region, offset }: Buffer): number => region * regionSpan + offset;

/** Bytes of one row of a tensor. */
const rowBytesOf = (t: Tensor): number => (rowsOf(t) === 0 ? 0 : tensorBytes(t) / rowsOf(t));

/** A replay in which nothing has happened yet. */
export function startReplay(graph: Graph, plan: Plan, placements: Placements): Replay {
  const memory = memoryMap();
  const values = new Map<TensorId, RootValue>();
  let next = 1;
  const newValue = (id: TensorId): RootValue => {
    const value = { value: next++, begun: new Set<TensorId>(), rowAt: new Map<TensorId, Map<number, number>>() };
    values.set(id, value);
    return value;
  };
  /** Calls `visit` with address, size, place in the value and first row of stretches of a root that lie in one piece. */
  const eachPiece = (
    root: Tensor,
    buffer: Buffer,
    rows: RowRange,
    apart: boolean,
    visit: (at: number, bytes: number, from: number, row: number) => void,
  ): void => {
    // A window may lie in the padding, before any row is there.
    if (rows.end <= rows.first) return;
    const rowBytes = rowBytesOf(root);
    const isWhole = buffer.bytes >= tensorBytes(root);
    if (isWhole && !apart) {
      const from = rows.first * rowBytes;
      visit(addressOf(buffer) + from, (rows.end - rows.first) * rowBytes, from, rows.first);
      return;
    }
    for (let r = rows.first; r < rows.end; r++) {
      const place = (isWhole ? r : r % buffer.rows) * rowBytes;
      visit(addressOf(buffer) + place, rowBytes, apart ? place : r * rowBytes, r);
    }
  };
  const placed = (id: TensorId) => {
    const place = rootOf(placements, id);
    return { root: tensorOf(graph, place.whole), row: place.row, apart: place.whole !== id };
  };
  const writeRows = (t: Tensor, rows: RowRange): void => {
    const { root, row, apart } = placed(t.id);
    const buffer = plan.bufferOf.get(t.id);
    const holder = values.get(root.id);
    if (buffer === undefined || holder === undefined) return;
    eachPiece(root, buffer, { first: rows.first + row, end: rows.end + row }, apart, (at, bytes, from, r) => {
      if (!apart) {
        memory.write(at, bytes, holder.value, from);
        return;
      }
      // A place that something else has overwritten holds nothing of any tensor.
      const owned = memory.holds(at, bytes, holder.value, from);
      if (!owned) memory.write(at, bytes, holder.value, from);
      for (const [other, rowAt] of holder.rowAt)
        if (!owned || meets(graph, placements, t.id, other)) rowAt.delete(from);
      const own = holder.rowAt.get(t.id) ?? new Map<number, number>();
      holder.rowAt.set(t.id, own.set(from, r));
    });
  };
  const checkLeaf = (leaf: Tensor, rows: RowRange, complain: () => never): void => {
    const { root, row, apart } = placed(leaf.id);
    const buffer = plan.bufferOf.get(leaf.id);
    const holder = values.get(root.id);
    if (buffer === undefined) return;
    eachPiece(root, buffer, { first: rows.first + row, end: rows.end + row }, apart, (at, bytes, from, r) => {
      const there = holder !== undefined && memory.holds(at, bytes, holder.value, from);
      if (!there || (apart && holder.rowAt.get(leaf.id)?.get(from) !== r)) complain();
    });
  };
  return {
    begin: (t) => {
      const { root } = placed(t.id);
      const known = values.get(root.id);
      // A tensor inside another shares its value, until it is computed once more.
      const holder = known === undefined || known.begun.has(t.id) ? newValue(root.id) : known;
      holder.begun.add(t.id);
    },
    write: writeRows,
    alias: (target, source) => {
      const [leaf] = leavesOf(placements, source.id);
      const holder = leaf && values.get(placed(leaf.tensor).root.id);
      if (holder) values.set(target.id, holder);
    },
    check: (t, rows, where, when) => {
      if (t.dtype === "resource") return;
      for (const { tensor, row } of leavesOf(placements, t.id)) {
        const leaf = tensorOf(graph, tensor);
        const inLeaf = (r: number): number => Math.min(Math.max(r + row, 0), rowsOf(leaf));
        checkLeaf(leaf, { first: inLeaf(rows.first), end: inLeaf(rows.end) }, () =>
          fail("TH3003", {
            where: [graph.name, where, tensorName(t)],
            found: `rows ${rows.first} to ${rows.end - 1} are not all there ${when}`,
            fix: defect,
          }),
        );
      }
    },
    occupy: (buffer, where) => {
      const value = next++;
      memory.write(addressOf(buffer), buffer.bytes, value);
      return () => {
        if (memory.holds(addressOf(buffer), buffer.bytes, value)) return;
        fail("TH3003", { where: [graph.name, where, buffer.name], found: "its bytes are overwritten", fix: defect });
      };
    },
  };
}
