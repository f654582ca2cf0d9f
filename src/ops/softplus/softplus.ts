import { mul, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

/** Written so that neither side overflows. */
const logOnePlusExp = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const softplus = defineFloatUnary({
  name: "SOFTPLUS",
  summary: "log(1 + e^x)",
  tflite: "none",
  apply: logOnePlusExp,
  gradient: (e, { x, dy }) => mul(e, dy, unary(e, "LOGISTIC", x)),
  range: [-9, 9],
});
