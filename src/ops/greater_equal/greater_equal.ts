import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const greaterEqual = defineComparison({
  name: "GREATER_EQUAL",
  summary: "x >= y, element by element, with broadcasting",
  tflite: emptyBinding(62, 4, 45),
  types: ["float32", "int32", "int8"],
  holds: (x1, x2) => x1 >= x2,
});
