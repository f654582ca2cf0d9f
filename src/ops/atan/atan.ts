import { add, div, mul, scalar } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const atan = defineFloatUnary({
  name: "ATAN",
  summary: "Arc tangent",
  tflite: "none",
  apply: Math.atan,
  gradient: (e, { x, dy }) => div(e, dy, add(e, mul(e, x, x), scalar(e, 1))),
  range: [-4, 4],
});
