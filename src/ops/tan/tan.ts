import { defineFloatUnary } from "../common/unary.js";

export const tan = defineFloatUnary({
  name: "TAN",
  summary: "Tangent",
  tflite: "none",
  apply: Math.tan,
  range: [-1.2, 1.2],
});
