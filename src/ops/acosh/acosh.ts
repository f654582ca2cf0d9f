import { defineFloatUnary } from "../common/unary.js";

export const acosh = defineFloatUnary({
  name: "ACOSH",
  summary: "Inverse hyperbolic cosine",
  tflite: "none",
  apply: Math.acosh,
  range: [1.1, 9],
});
