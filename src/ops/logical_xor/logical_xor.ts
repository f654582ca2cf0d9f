import { defineComparison } from "../common/compare.js";

export const logicalXor = defineComparison({
  name: "LOGICAL_XOR",
  summary: "One, not both, element by element, with broadcasting",
  tflite: "none",
  types: ["bool"],
  holds: (x1, x2) => x1 !== x2,
});
