import { defineFloatUnary } from "../common/unary.js";

/** Written so that neither side overflows. */
const logOnePlusExp = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const softplus = defineFloatUnary({
  name: "SOFTPLUS",
  summary: "log(1 + e^x)",
  tflite: "none",
  apply: logOnePlusExp,
  range: [-9, 9],
});
