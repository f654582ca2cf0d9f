import { defineFloatUnary } from "../common/unary.js";

export const asin = defineFloatUnary({
  name: "ASIN",
  summary: "Arc sine",
  tflite: "none",
  apply: Math.asin,
  range: [-0.9, 0.9],
});
