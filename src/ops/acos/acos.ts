import { defineFloatUnary } from "../common/unary.js";

export const acos = defineFloatUnary({
  name: "ACOS",
  summary: "Arc cosine",
  tflite: "none",
  apply: Math.acos,
  range: [-0.9, 0.9],
});
