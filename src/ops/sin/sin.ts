import { mul, unary } from "../common/gradients.js";
import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

export const sin = defineFloatUnary({
  name: "SIN",
  summary: "Sine",
  tflite: emptyBinding(66, 1, 0),
  apply: Math.sin,
  gradient: (e, { x, dy }) => mul(e, dy, unary(e, "COS", x)),
  range: [-4, 4],
});
