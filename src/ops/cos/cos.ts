import { mul, unary } from "../common/gradients.js";
import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

export const cos = defineFloatUnary({
  name: "COS",
  summary: "Cosine",
  tflite: emptyBinding(108, 1, 84),
  apply: Math.cos,
  gradient: (e, { x, dy }) => mul(e, dy, unary(e, "NEG", unary(e, "SIN", x))),
  range: [-4, 4],
});
