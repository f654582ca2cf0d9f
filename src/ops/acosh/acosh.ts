import { div, mul, scalar, sub, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const acosh = defineFloatUnary({
  name: "ACOSH",
  summary: "Inverse hyperbolic cosine",
  tflite: "none",
  apply: Math.acosh,
  gradient: (e, { x, dy }) => div(e, dy, unary(e, "SQRT", sub(e, mul(e, x, x), scalar(e, 1)))),
  range: [1.1, 9],
});
