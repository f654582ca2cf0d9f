import type { TensorId } from "../base/units.js";
import type { Stage } from "./stages.js";

/** A quantity that changes now and then: `value` from `time` on. Times are firings, counted from the plan's first. */
export interface Change {
  readonly time: number;
  readonly value: number;
}

/** What a group of stages does to a tensor, in rows and firings. */
export interface TensorTrace {
  readonly rows: number;
  /** Rows written so far; empty if the group only reads the tensor. */
  readonly top: Change[];
  /** The first row that the group still reads; empty if it reads none. */
  readonly low: Change[];
  /** The first and the last firing that touches it. */
  first: number;
  last: number;
}

function traceOf(traces: Map<TensorId, TensorTrace>, tensor: TensorId, rows: number, time: number): TensorTrace {
  const known = traces.get(tensor);
  if (known !== undefined) {
    known.last = time;
    return known;
  }
  const trace: TensorTrace = { rows, top: [], low: [], first: time, last: time };
  traces.set(tensor, trace);
  return trace;
}

/** Replays a group's firings, the first of which has the number `start`. */
export function traceGroup(
  stages: readonly Stage[],
  order: readonly number[],
  start = 0,
): ReadonlyMap<TensorId, TensorTrace> {
  const traces = new Map<TensorId, TensorTrace>();
  const next = new Int32Array(stages.length);
  /** For each tensor, the first row that each reading stage still needs. */
  const keeps = new Map<TensorId, Map<number, number>>();
  stages.forEach((stage, s) => {
    for (const { tensor, keep } of stage.reads) {
      const byStage = keeps.get(tensor) ?? new Map<number, number>();
      keeps.set(tensor, byStage.set(s, keep[0] as number));
    }
  });
  order.forEach((s, i) => {
    const time = start + i;
    const stage = stages[s] as Stage;
    const f = next[s] as number;
    next[s] = f + 1;
    for (const { tensor, rows } of stage.writes) {
      const byRow = stage.mode === "rows" || stage.mode === "push";
      if (byRow || f + 1 === stage.firings)
        traceOf(traces, tensor, rows, time).top.push({ time, value: byRow ? f + 1 : rows });
    }
    for (const { tensor, rows, keep } of stage.reads) {
      const trace = traceOf(traces, tensor, rows, time);
      const byStage = keeps.get(tensor) as Map<number, number>;
      byStage.set(s, keep[f + 1] as number);
      let value = rows;
      for (const kept of byStage.values()) if (kept < value) value = kept;
      const before = trace.low.at(-1)?.value ?? 0;
      // The rows are free once the firing is over.
      if (value > before) trace.low.push({ time: time + 1, value });
    }
  });
  return traces;
}

/** Rows that a ring needs for a tensor that only this group writes and reads. */
export function ringRows({ top, low, rows }: Pick<TensorTrace, "top" | "low" | "rows">): number {
  let most = 1;
  let l = 0;
  let lowest = 0;
  for (const { time, value } of top) {
    while (l < low.length && (low[l] as Change).time <= time) lowest = (low[l++] as Change).value;
    most = Math.max(most, value - lowest);
  }
  return Math.min(most, Math.max(rows, 1));
}
