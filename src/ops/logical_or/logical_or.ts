import { defineComparison } from "../common/compare.js";
import { emptyBinding } from "../common/options.js";

export const logicalOr = defineComparison({
  name: "LOGICAL_OR",
  summary: "Either or both, element by element, with broadcasting",
  tflite: emptyBinding(84, 4, 60),
  types: ["bool"],
  holds: (x1, x2) => x1 !== 0 || x2 !== 0,
});
