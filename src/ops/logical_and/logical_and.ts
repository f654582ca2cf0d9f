import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const logicalAnd = defineComparison({
  name: "LOGICAL_AND",
  summary: "Both, element by element, with broadcasting",
  tflite: emptyBinding(86, 4, 62),
  types: ["bool"],
  holds: (x1, x2) => x1 !== 0 && x2 !== 0,
});
