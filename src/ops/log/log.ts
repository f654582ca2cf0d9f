import { perTensor } from "../../ir/graph.js";
import { div } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";

/** Source for 8 bits: TFLite's elementwise.cc, a table computed in float32; the lowest value for x <= 0. */
const apply = (x: number): number => Math.log(x);

export const log = defineUnary<"LOG", Empty>({
  name: "LOG",
  summary: "Natural logarithm",
  tflite: emptyBinding(73, 2, 0),
  float: () => apply,
  floatKernel: floatKernel("log"),
  int8: (view) => floatTableMap(view, apply),
  int16: "none",
  gradient: (e, { x, dy }) => div(e, dy, x),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.1, -128), perTensor(0.05, 40)]),
    unarySample<Empty>({}, "float32", null, [0.01, 50]),
  ],
});
