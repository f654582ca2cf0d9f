import { bytesOf, rangeOf } from "../../base/dtype.js";
import { reduceOp } from "../common/reduce.js";

const kernel = (dtype: "int8" | "int16" | "float32", suffix: string) => ({
  dtype,
  source: `ops/reduce_max/reduce_max_${suffix}.h`,
  symbol: `th_reduce_max_${suffix}`,
  params: "th_reduce_params",
  foldBytes: bytesOf(dtype, 1),
});

/** The maximum over any axes; quantized values are compared as they are, as in TFLM. */
export const reduceMax = reduceOp({
  name: "REDUCE_MAX",
  summary: "Maximum over axes",
  builtin: 82,
  maxVersion: 3,
  keepsQuantization: true,
  most: {},
  start: (dtype) => rangeOf(dtype).min,
  add: Math.max,
  finish: () => (value) => value,
  isMonotone: () => true,
  kernels: [kernel("int8", "s8"), kernel("int16", "s16"), kernel("float32", "f32")],
  fields: () => ({}),
});
