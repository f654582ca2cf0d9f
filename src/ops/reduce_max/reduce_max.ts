import { bytesOf, rangeOf } from "../../base/dtype.js";
import { div, inRange, minusFrom, mul, reshape, sub, sumTo } from "../common/gradients.js";
import { reduceOp } from "../common/reduce.js";
import { inputOf, outputOf } from "../common/view.js";

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
  // Equal maxima share the gradient.
  gradient: (e, view, kept, dy) => {
    const x = inputOf(view, 0);
    const below = inRange(e, sub(e, x, reshape(e, outputOf(view, 0), kept)), -Infinity, 0);
    const largest = minusFrom(e, 1, below);
    return mul(e, largest, div(e, reshape(e, dy, kept), sumTo(e, largest, kept)));
  },
  isMonotone: () => true,
  kernels: [kernel("int8", "s8"), kernel("int16", "s16"), kernel("float32", "f32")],
  fields: () => ({}),
});
