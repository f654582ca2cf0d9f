import { mul, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const cosh = defineFloatUnary({
  name: "COSH",
  summary: "Hyperbolic cosine",
  tflite: "none",
  apply: Math.cosh,
  gradient: (e, { x, dy }) => mul(e, dy, unary(e, "SINH", x)),
  range: [-3, 3],
});
