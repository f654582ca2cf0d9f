import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const notEqual = defineComparison({
  name: "NOT_EQUAL",
  summary: "x differs from y, element by element, with broadcasting",
  tflite: emptyBinding(72, 4, 54),
  types: ["float32", "int32", "int8", "bool"],
  holds: (x1, x2) => x1 !== x2,
});
