import { argOp } from "../common/arg.js";

/** Index of the smallest element along an axis, the first of several. */
export const argMin = argOp("ARG_MIN", "min", 79, 57);
