import { gcd, lcm } from "../base/integers.js";
import type { TensorId } from "../base/units.js";
import type { Shift, Shifts, StreamNode, StreamRead } from "./shifts.js";

/**
 * Something that happens several times per hop, its R-th time to row R. "arrive": a row of the input comes. "rows": a node
 * computes a row. "keep": a row is appended to a copy of the tensor's window that lies in one piece.
 */
export interface HopStage extends Shift {
  readonly kind: "arrive" | "rows" | "keep";
  /** The node of "rows". */
  readonly node: StreamNode | null;
  readonly reads: readonly StreamRead[];
  readonly writes: readonly TensorId[];
}

/** How many rows of a tensor are in memory, and when. */
export interface RingUse {
  /** The fewest rows that suffice. */
  readonly kept: number;
  /** The next hop reads rows of this one. */
  readonly persists: boolean;
  /** The first and the last firing of a hop that touches it; all firings if it persists. */
  readonly first: number;
  readonly last: number;
}

/** What happens in one hop, the same in each. */
export interface Hop {
  readonly stages: readonly HopStage[];
  /** Indices of stages, one for each firing. */
  readonly order: readonly number[];
  readonly rings: ReadonlyMap<TensorId, RingUse>;
}

/**
 * The stages of a hop: arrival first, and what keeps a tensor right after what computes it.
 * @param kept tensors of which whole windows are needed
 */
export function hopStages(shifts: Shifts, kept: ReadonlySet<TensorId>): readonly HopStage[] {
  const keep = (tensors: readonly TensorId[]): readonly HopStage[] =>
    tensors
      .filter((id) => kept.has(id))
      .map((tensor): HopStage => {
        const { rows, hop } = shifts.tensors.get(tensor) as Shift;
        return { kind: "keep", rows, hop, node: null, reads: [{ tensor, stride: 1, first: 0, span: 1 }], writes: [] };
      });
  const { rows, hop, input } = shifts;
  const arrive: HopStage = { kind: "arrive", rows, hop, node: null, reads: [], writes: [input] };
  const computed = shifts.nodes
    .filter((n) => !n.isView)
    .flatMap((node): readonly HopStage[] => {
      const writes = node.lowered.view.outputs.map((t) => t.id);
      return [{ kind: "rows", rows: node.rows, hop: node.hop, node, reads: node.reads, writes }, ...keep(writes)];
    });
  return [arrive, ...keep([input]), ...computed];
}

/** A hop being played after the first window: `done` counts rows from the first on, those of `top` are in memory. */
interface Play {
  readonly stages: readonly HopStage[];
  readonly done: number[];
  readonly top: Map<TensorId, number>;
  readonly order: number[];
}

const isComplete = ({ stages, done }: Play, s: number): boolean => {
  const { rows, hop } = stages[s] as HopStage;
  return (done[s] as number) === rows + hop;
};

/** True if the stage has a row left in this hop and all that the row needs is there. */
function canFire(play: Play, s: number): boolean {
  if (isComplete(play, s)) return false;
  const row = play.done[s] as number;
  return (play.stages[s]?.reads ?? []).every(
    ({ tensor, stride, first, span }) => (play.top.get(tensor) ?? 0) >= row * stride + first + span,
  );
}

/** For each tensor the first row that is still read, or a number beyond all rows. */
function lowOf({ stages, done }: Play, tensor: TensorId): number {
  let low = Infinity;
  stages.forEach(({ reads }, s) => {
    for (const read of reads)
      if (read.tensor === tensor) low = Math.min(low, (done[s] as number) * read.stride + read.first);
  });
  return low;
}

interface Use {
  kept: number;
  persists: boolean;
  first: number;
  last: number;
}

/**
 * Plays the hop after the first window: a row arrives, then all stages fire that can, the last first, so that rows are
 * used as soon as they are there. All hops are alike, and so are those before the first window, where firings for rows
 * before row 0 are left out: what a row needs has no lower number than that row's own.
 */
export function playHop(stages: readonly HopStage[]): Hop {
  const play: Play = {
    stages,
    done: stages.map((s) => s.rows),
    top: new Map(stages.flatMap((s) => s.writes.map((id) => [id, s.rows] as const))),
    order: [],
  };
  const uses = new Map<TensorId, Use>();
  for (const [id, top] of play.top) {
    const kept = top - Math.min(lowOf(play, id), top);
    uses.set(id, { kept: Math.max(kept, 1), persists: kept > 0, first: Infinity, last: 0 });
  }
  const fire = (s: number): void => {
    const { reads, writes } = stages[s] as HopStage;
    const time = play.order.push(s) - 1;
    for (const id of writes) {
      const top = (play.top.get(id) ?? 0) + 1;
      play.top.set(id, top);
      const use = uses.get(id) as Use;
      use.kept = Math.max(use.kept, top - Math.min(lowOf(play, id), top));
      use.first = Math.min(use.first, time);
      use.last = time;
    }
    for (const { tensor } of reads) (uses.get(tensor) as Use).last = time;
    (play.done as number[])[s] = (play.done[s] as number) + 1;
  };
  const settle = (): void => {
    for (let s = stages.length - 1; s > 0; s--) {
      if (!canFire(play, s)) continue;
      fire(s);
      s = stages.length;
    }
  };
  settle();
  while (!isComplete(play, 0)) {
    fire(0);
    settle();
  }
  const end = play.order.length - 1;
  for (const use of uses.values()) if (use.persists) Object.assign(use, { first: 0, last: end });
  return { stages, order: play.order, rings: uses };
}

/**
 * The number of rows after which a stage may count from 0 again: the places of the rows that it reads and writes, which are
 * row numbers modulo the rows kept, then repeat. A copy in one piece is filled hop by hop.
 */
export function periodOf({ kind, hop, reads, writes }: HopStage, rings: ReadonlyMap<TensorId, RingUse>): number {
  const kept = (id: TensorId): number => rings.get(id)?.kept ?? 1;
  const periods = [
    ...writes.map(kept),
    ...reads.map(({ tensor, stride }) => kept(tensor) / gcd(kept(tensor), stride)),
    kind === "keep" ? hop : 1,
  ];
  return periods.reduce(lcm, 1);
}
