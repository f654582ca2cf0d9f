import { perTensor } from "../../ir/graph.js";
import { mul } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";

/** Source for 8 bits: TFLite's exp.cc, a table computed in float32. */
const apply = (x: number): number => Math.exp(x);

export const exp = defineUnary<"EXP", Empty>({
  name: "EXP",
  summary: "e^x",
  tflite: emptyBinding(47, 2, 33),
  float: () => apply,
  floatKernel: floatKernel("exp"),
  int8: (view) => floatTableMap(view, apply),
  int16: "none",
  gradient: (e, { y, dy }) => mul(e, dy, y),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.03, 20), perTensor(0.05, -128)]),
    unarySample<Empty>({}, "float32", null, [-5, 5]),
  ],
});
