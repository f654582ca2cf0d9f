import { defineFloatUnary } from "../common/unary.js";

export const asinh = defineFloatUnary({
  name: "ASINH",
  summary: "Inverse hyperbolic sine",
  tflite: "none",
  apply: Math.asinh,
  range: [-4, 4],
});
