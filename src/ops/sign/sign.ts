import { defineFloatUnary } from "../common/unary.js";

export const sign = defineFloatUnary({
  name: "SIGN",
  summary: "-1, 0 or 1",
  tflite: "none",
  apply: Math.sign,
  gradient: "not differentiable",
  range: [-2, 2],
});
