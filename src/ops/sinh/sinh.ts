import { defineFloatUnary } from "../common/unary.js";

export const sinh = defineFloatUnary({
  name: "SINH",
  summary: "Hyperbolic sine",
  tflite: "none",
  apply: Math.sinh,
  range: [-3, 3],
});
