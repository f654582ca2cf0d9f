import { stateBytes } from "../../plan/incremental.js";
import type { PlannedModel } from "../compile.js";

/** What computing only the changes of a hop saves. */
export interface IncrementalReport {
  readonly hopRows: number;
  readonly windowRows: number;
  readonly hopMacs: number;
  readonly windowMacs: number;
  /** Bytes that keep their contents from hop to hop; part of the peak. */
  readonly stateBytes: number;
  /** Layers that are computed anew for every window. */
  readonly tailLayers: readonly number[];
}

/** The report of a plan of incremental inference, or null for any other. */
export function incrementalReport({ plan, nodes }: PlannedModel): IncrementalReport | null {
  if (plan.incremental === null) return null;
  const { hop, rows, macs } = plan.incremental;
  return {
    hopRows: hop,
    windowRows: rows,
    hopMacs: macs,
    windowMacs: nodes.reduce((sum, n) => sum + n.spec.cost(n.view).macs, 0),
    stateBytes: stateBytes(plan),
    tailLayers: plan.groups.map((g) => g.firstStep),
  };
}
