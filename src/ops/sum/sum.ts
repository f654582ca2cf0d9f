import { reduceOp } from "../common/reduce.js";
import { sumReduction } from "../common/reduce-sum.js";

/** The sum over any axes. Integer rounding: see {@link sumReduction}. */
export const sum = reduceOp({
  name: "SUM",
  summary: "Sum over axes",
  builtin: 74,
  maxVersion: 2,
  ...sumReduction("sum"),
});
