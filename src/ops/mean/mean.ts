import { reduceOp } from "../common/reduce.js";
import { sumReduction } from "../common/reduce-sum.js";

/** The mean over any axes. Integer rounding: see {@link sumReduction}. */
export const mean = reduceOp({
  name: "MEAN",
  summary: "Mean over axes",
  builtin: 40,
  maxVersion: 3,
  ...sumReduction("mean"),
});
