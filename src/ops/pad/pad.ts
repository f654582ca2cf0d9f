import { definePad } from "../common/pads.js";

export const pad = definePad({
  name: "PAD",
  summary: "Padding with zeros (the zero point), up to 6-D",
  value: "zero",
  tflite: { builtin: 34, maxVersion: 5, tag: 22 },
});
