import type { TensorId } from "../base/units.js";
import type { Stage, StageRead } from "./stages.js";

/**
 * In which order the stages of a group fire. "pull": the last stage asks for its next row, and that for what it needs, the
 * longest branch first, so that a short branch runs when it is needed and not before; stages that the last one does not
 * need fire as soon as they can. "push": of all stages that can fire, always the last one.
 */
export type Policy = "pull" | "push";

/** The state while a group is being scheduled. */
interface Run {
  readonly stages: readonly Stage[];
  readonly producer: ReadonlyMap<TensorId, number>;
  readonly next: Int32Array;
  readonly order: number[];
}

function available(run: Run, read: StageRead): number {
  const p = run.producer.get(read.tensor);
  if (p === undefined) return read.rows;
  const stage = run.stages[p] as Stage;
  const fired = run.next[p] as number;
  if (stage.mode === "rows" || stage.mode === "push") return fired;
  return fired === stage.firings ? read.rows : 0;
}

function canFire(run: Run, s: number): boolean {
  const stage = run.stages[s] as Stage;
  const f = run.next[s] as number;
  return f < stage.firings && stage.reads.every((read) => available(run, read) >= (read.need[f] as number));
}

function fire(run: Run, s: number): void {
  run.order.push(s);
  run.next[s] = (run.next[s] as number) + 1;
}

/** Fires what can fire among `among` (ascending), the last first, until nothing can. */
function settle(run: Run, among: readonly number[]): void {
  for (let i = among.length - 1; i >= 0; i--) {
    const s = among[i] as number;
    if (!canFire(run, s)) continue;
    fire(run, s);
    i = among.length;
  }
}

/** How many stages lie between each stage and the group's inputs, at most. */
function depths(stages: readonly Stage[], producer: ReadonlyMap<TensorId, number>): readonly number[] {
  const depth: number[] = [];
  for (const [s, stage] of stages.entries()) {
    const before = stage.reads.map((r) => depth[producer.get(r.tensor) ?? -1] ?? 0);
    depth[s] = 1 + Math.max(0, ...before);
  }
  return depth;
}

/** The stages that stage `last` needs, itself included. */
function ancestors(
  stages: readonly Stage[],
  producer: ReadonlyMap<TensorId, number>,
  last: number,
): ReadonlySet<number> {
  const found = new Set([last]);
  for (let s = last; s >= 0; s--) {
    if (!found.has(s)) continue;
    for (const { tensor } of stages[s]?.reads ?? []) {
      const p = producer.get(tensor);
      if (p !== undefined) found.add(p);
    }
  }
  return found;
}

function pullAll(run: Run): void {
  const { stages, producer } = run;
  const last = stages.length - 1;
  const needed = ancestors(stages, producer, last);
  const aside = stages.map((_, s) => s).filter((s) => !needed.has(s));
  const depth = depths(stages, producer);
  const sources = stages.map(({ reads }) =>
    reads
      .flatMap((read) => {
        const p = producer.get(read.tensor);
        return p === undefined ? [] : [{ read, p, depth: depth[p] as number }];
      })
      .sort((a, b) => b.depth - a.depth),
  );
  const pull = (s: number): void => {
    const f = run.next[s] as number;
    for (const { read, p } of sources[s] ?? []) while (available(run, read) < (read.need[f] as number)) pull(p);
    fire(run, s);
    if (aside.length > 0) settle(run, aside);
  };
  for (let f = stages[last]?.firings ?? 0; f > 0; f--) pull(last);
}

/**
 * The firings of a group of stages in order, as indices of stages. Every stage fires as often as it has rows, those that
 * nothing needs at the end.
 */
export function scheduleStages(stages: readonly Stage[], policy: Policy): readonly number[] {
  const producer = new Map(stages.flatMap((stage, s) => stage.writes.map((w) => [w.tensor, s] as const)));
  const run: Run = { stages, producer, next: new Int32Array(stages.length), order: [] };
  if (policy === "pull") pullAll(run);
  settle(
    run,
    stages.map((_, s) => s),
  );
  return run.order;
}
