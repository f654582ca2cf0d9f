import { defineFloatUnary } from "../common/unary.js";

export const cosh = defineFloatUnary({
  name: "COSH",
  summary: "Hyperbolic cosine",
  tflite: "none",
  apply: Math.cosh,
  range: [-3, 3],
});
