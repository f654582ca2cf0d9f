import type { TensorId } from "../base/units.js";
import type { Group } from "./groups.js";
import { type Change, traceGroup } from "./traces.js";
import type { Network } from "./units.js";

/** When a tensor comes to be and goes, in firings of the whole plan. */
export interface Timeline {
  first: number;
  last: number;
  /** Rows written, and the first row still to be read; before the first change both are 0. */
  top: readonly Change[];
  low: readonly Change[];
}

export interface Timelines {
  readonly of: ReadonlyMap<TensorId, Timeline>;
  /** The last firing of each group. */
  readonly groupEnds: readonly number[];
  /** Firings of all groups. */
  readonly firings: number;
}

/** Replays all groups one after the other. */
export function mapTimelines(network: Network, groups: readonly Group[]): Timelines {
  const of = new Map<TensorId, Timeline>();
  const groupEnds: number[] = [];
  const total = groups.reduce((sum, g) => sum + g.order.length, 0);
  for (const [id, h] of network.held) {
    if (h.producer < 0) of.set(id, { first: 0, last: 0, top: [{ time: 0, value: h.rows }], low: [] });
  }
  let start = 0;
  for (const group of groups) {
    for (const [id, trace] of traceGroup(group.stages, group.order, start)) {
      const known = of.get(id);
      if (known === undefined) {
        of.set(id, { first: trace.first, last: trace.last, top: trace.top, low: trace.low });
      } else {
        known.last = trace.last;
        // Only the last group to read it frees its rows.
        known.low = trace.low;
      }
    }
    start += group.order.length;
    groupEnds.push(start - 1);
  }
  for (const [id, h] of network.held) {
    const line = of.get(id);
    if (line === undefined || !h.isOutput) continue;
    line.last = Math.max(total - 1, 0);
    line.low = [];
  }
  return { of, groupEnds, firings: total };
}
