import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

export const floor = defineFloatUnary({
  name: "FLOOR",
  summary: "Largest integer not above x",
  tflite: emptyBinding(8, 2, 0),
  apply: Math.floor,
  gradient: "not differentiable",
  range: [-9, 9],
});
