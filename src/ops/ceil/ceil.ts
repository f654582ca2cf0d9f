import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

export const ceil = defineFloatUnary({
  name: "CEIL",
  summary: "Smallest integer not below x",
  tflite: emptyBinding(104, 1, 0),
  apply: Math.ceil,
  gradient: "not differentiable",
  range: [-9, 9],
});
