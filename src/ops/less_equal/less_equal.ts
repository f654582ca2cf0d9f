import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const lessEqual = defineComparison({
  name: "LESS_EQUAL",
  summary: "x <= y, element by element, with broadcasting",
  tflite: emptyBinding(63, 4, 46),
  types: ["float32", "int32", "int8"],
  holds: (x1, x2) => x1 <= x2,
});
