import { erf as apply } from "../common/erf.js";
import { mul, scale, unary } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const erf = defineFloatUnary({
  name: "ERF",
  summary: "Error function",
  tflite: "none",
  apply: apply,
  gradient: (e, { x, dy }) =>
    scale(e, mul(e, dy, unary(e, "EXP", unary(e, "NEG", mul(e, x, x)))), 2 / Math.sqrt(Math.PI)),
  range: [-3, 3],
});
