import { add, div, mul, scalar, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const asinh = defineFloatUnary({
  name: "ASINH",
  summary: "Inverse hyperbolic sine",
  tflite: "none",
  apply: Math.asinh,
  gradient: (e, { x, dy }) => div(e, dy, unary(e, "SQRT", add(e, mul(e, x, x), scalar(e, 1)))),
  range: [-4, 4],
});
