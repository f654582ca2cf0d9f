import { erf as apply } from "../common/erf.js";
import { defineFloatUnary } from "../common/unary.js";

export const erf = defineFloatUnary({
  name: "ERF",
  summary: "Error function",
  tflite: "none",
  apply: apply,
  range: [-3, 3],
});
