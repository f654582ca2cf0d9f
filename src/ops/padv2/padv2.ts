import { definePad } from "../common/pads.js";

export const padv2 = definePad({
  name: "PADV2",
  summary: "Padding with a given constant, up to 6-D",
  value: "input",
  tflite: { builtin: 60, maxVersion: 5, tag: 43 },
});
