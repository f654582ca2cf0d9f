import { perTensor } from "../../ir/graph.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";

/** 8 bits, which TFLite does not have, by a table computed in float32; the lowest value for x < 0. */
const apply = (x: number): number => Math.sqrt(x);

export const sqrt = defineUnary<"SQRT", Empty>({
  name: "SQRT",
  summary: "Square root",
  tflite: emptyBinding(75, 1, 0),
  float: () => apply,
  floatKernel: floatKernel("sqrt"),
  int8: (view) => floatTableMap(view, apply),
  int16: "none",
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.1, -120), perTensor(0.04, -128)]),
    unarySample<Empty>({}, "float32", null, [0, 50]),
  ],
});
