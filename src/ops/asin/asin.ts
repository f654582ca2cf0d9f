import { div, minusFrom, mul, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const asin = defineFloatUnary({
  name: "ASIN",
  summary: "Arc sine",
  tflite: "none",
  apply: Math.asin,
  gradient: (e, { x, dy }) => div(e, dy, unary(e, "SQRT", minusFrom(e, 1, mul(e, x, x)))),
  range: [-0.9, 0.9],
});
