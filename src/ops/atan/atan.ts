import { defineFloatUnary } from "../common/unary.js";

export const atan = defineFloatUnary({
  name: "ATAN",
  summary: "Arc tangent",
  tflite: "none",
  apply: Math.atan,
  range: [-4, 4],
});
