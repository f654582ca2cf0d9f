import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

export const cos = defineFloatUnary({
  name: "COS",
  summary: "Cosine",
  tflite: emptyBinding(108, 1, 84),
  apply: Math.cos,
  range: [-4, 4],
});
