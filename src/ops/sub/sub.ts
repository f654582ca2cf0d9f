import { defineSum } from "../common/sum.js";

export const sub = defineSum({
  name: "SUB",
  summary: "Subtraction with broadcasting and activation",
  sign: -1,
  tflite: { builtin: 41, maxVersion: 5, tag: 28 },
});
