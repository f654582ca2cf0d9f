import { div, mul, reshape } from "../common/gradients.js";
import { reduceOp } from "../common/reduce.js";
import { inputOf, outputOf } from "../common/view.js";

/** The product over any axes, of floats. */
export const reduceProd = reduceOp({
  name: "REDUCE_PROD",
  summary: "Product over axes",
  builtin: 81,
  maxVersion: 2,
  keepsQuantization: true,
  most: {},
  start: () => 1,
  add: (product, element) => product * element,
  finish: () => (value) => value,
  // Where no factor is 0.
  gradient: (e, view, kept, dy) =>
    div(e, mul(e, reshape(e, dy, kept), reshape(e, outputOf(view, 0), kept)), inputOf(view, 0)),
  isMonotone: () => false,
  kernels: [
    {
      dtype: "float32",
      source: "ops/reduce_prod/reduce_prod_f32.h",
      symbol: "th_reduce_prod_f32",
      params: "th_reduce_params",
      foldBytes: 4,
    },
  ],
  fields: () => ({}),
});
