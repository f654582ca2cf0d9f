import { elementsOf } from "../../base/dtype.js";
import { quantizeMultiplier } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { type ExpScaling, expScaling } from "../common/exp-scaling.js";
import { lut16 } from "../common/lut16.js";
import { inputOf, scaleOf } from "../common/view.js";

export interface SoftmaxAttrs {
  /** Factor of the input, a float32. */
  readonly beta: number;
}

/** The scaling of int8 input is to Q5.26, of int16 input to the table's 65535 steps over [-10, 0]. */
export function softmaxScaling(view: NodeView<SoftmaxAttrs>): ExpScaling {
  const input = inputOf(view, 0);
  const factor = view.attrs.beta * scaleOf(input);
  if (input.dtype === "int8") return expScaling(factor);
  return { ...quantizeMultiplier(factor / (10.0 / 65535.0)), diffMin: 0 };
}

/** Tables of the int16 form: exp over [-10, 0] and 1 / (1 + x) over [0, 1], both in Q0.15. */
export const softmaxTables = (): { readonly exp: Int16Array; readonly reciprocal: Int16Array } => ({
  exp: lut16(Math.exp, [-10, 0], [-1, 1]),
  reciprocal: lut16((x) => 1 / Math.fround(1 + x), [0, 1], [-1, 1]),
});

export function softmaxSize(view: NodeView<SoftmaxAttrs>): { readonly rows: number; readonly depth: number } {
  const { shape } = inputOf(view, 0);
  const depth = shape[shape.length - 1] ?? 1;
  return { depth, rows: depth === 0 ? 0 : elementsOf(shape) / depth };
}
