import { defineSum } from "../common/sum.js";

export const add = defineSum({
  name: "ADD",
  summary: "Addition with broadcasting and activation",
  sign: 1,
  tflite: { builtin: 0, maxVersion: 6, tag: 11 },
});
