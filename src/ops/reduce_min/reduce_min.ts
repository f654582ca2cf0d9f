import { bytesOf, rangeOf } from "../../base/dtype.js";
import { div, inRange, minusFrom, mul, reshape, sub, sumTo } from "../common/gradients.js";
import { reduceOp } from "../common/reduce.js";
import { inputOf, outputOf } from "../common/view.js";

const kernel = (dtype: "int8" | "int16" | "float32", suffix: string) => ({
  dtype,
  source: `ops/reduce_min/reduce_min_${suffix}.h`,
  symbol: `th_reduce_min_${suffix}`,
  params: "th_reduce_params",
  foldBytes: bytesOf(dtype, 1),
});

/** The minimum over any axes; quantized values are compared as they are, as in TFLM. */
export const reduceMin = reduceOp({
  name: "REDUCE_MIN",
  summary: "Minimum over axes",
  builtin: 89,
  maxVersion: 3,
  keepsQuantization: true,
  most: {},
  start: (dtype) => rangeOf(dtype).max,
  add: Math.min,
  finish: () => (value) => value,
  // Equal minima share the gradient.
  gradient: (e, view, kept, dy) => {
    const x = inputOf(view, 0);
    const above = inRange(e, sub(e, x, reshape(e, outputOf(view, 0), kept)), 0, Infinity);
    const least = minusFrom(e, 1, above);
    return mul(e, least, div(e, reshape(e, dy, kept), sumTo(e, least, kept)));
  },
  isMonotone: () => true,
  kernels: [kernel("int8", "s8"), kernel("int16", "s16"), kernel("float32", "f32")],
  fields: () => ({}),
});
