import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const equal = defineComparison({
  name: "EQUAL",
  summary: "x = y, element by element, with broadcasting",
  tflite: emptyBinding(71, 4, 53),
  types: ["float32", "int32", "int8", "bool"],
  holds: (x1, x2) => x1 === x2,
});
