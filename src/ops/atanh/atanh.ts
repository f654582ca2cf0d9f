import { div, minusFrom, mul } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const atanh = defineFloatUnary({
  name: "ATANH",
  summary: "Inverse hyperbolic tangent",
  tflite: "none",
  apply: Math.atanh,
  gradient: (e, { x, dy }) => div(e, dy, minusFrom(e, 1, mul(e, x, x))),
  range: [-0.9, 0.9],
});
