import { div, minusFrom, mul, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const acos = defineFloatUnary({
  name: "ACOS",
  summary: "Arc cosine",
  tflite: "none",
  apply: Math.acos,
  gradient: (e, { x, dy }) => unary(e, "NEG", div(e, dy, unary(e, "SQRT", minusFrom(e, 1, mul(e, x, x))))),
  range: [-0.9, 0.9],
});
