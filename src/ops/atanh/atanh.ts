import { defineFloatUnary } from "../common/unary.js";

export const atanh = defineFloatUnary({
  name: "ATANH",
  summary: "Inverse hyperbolic tangent",
  tflite: "none",
  apply: Math.atanh,
  range: [-0.9, 0.9],
});
