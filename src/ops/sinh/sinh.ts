import { mul, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const sinh = defineFloatUnary({
  name: "SINH",
  summary: "Hyperbolic sine",
  tflite: "none",
  apply: Math.sinh,
  gradient: (e, { x, dy }) => mul(e, dy, unary(e, "COSH", x)),
  range: [-3, 3],
});
