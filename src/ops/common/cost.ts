import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import type { Cost } from "../spec.js";
import { outputOf } from "./view.js";

/** No arithmetic: an operator that only moves data. */
export const noCost = (): Cost => ({ macs: 0, operations: 0 });

/** No multiply-accumulates, `perElement` operations for each element of the output. */
export const elementCost =
  (perElement: number) =>
  (view: NodeView<unknown>): Cost => ({ macs: 0, operations: perElement * elementsOf(outputOf(view, 0).shape) });
