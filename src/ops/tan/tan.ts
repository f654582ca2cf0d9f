import { add, mul, scalar } from "../common/gradients.js";
import { defineFloatUnary } from "../common/unary.js";

export const tan = defineFloatUnary({
  name: "TAN",
  summary: "Tangent",
  tflite: "none",
  apply: Math.tan,
  gradient: (e, { y, dy }) => mul(e, dy, add(e, mul(e, y, y), scalar(e, 1))),
  range: [-1.2, 1.2],
});
