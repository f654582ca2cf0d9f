import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const greater = defineComparison({
  name: "GREATER",
  summary: "x > y, element by element, with broadcasting",
  tflite: emptyBinding(61, 4, 44),
  types: ["float32", "int32", "int8"],
  holds: (x1, x2) => x1 > x2,
});
