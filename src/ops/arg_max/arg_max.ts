import { argOp } from "../common/arg.js";

/** Index of the largest element along an axis, the first of several. */
export const argMax = argOp("ARG_MAX", "max", 56, 40);
