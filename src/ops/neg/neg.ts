import { perTensor } from "../../ir/graph.js";
import { unary } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";

/** 8 bits, which TFLite does not have, by a table computed in float32. */
const apply = (x: number): number => -x;

export const neg = defineUnary<"NEG", Empty>({
  name: "NEG",
  summary: "-x",
  tflite: emptyBinding(59, 1, 42),
  float: () => apply,
  floatKernel: floatKernel("neg"),
  int8: (view) => floatTableMap(view, apply),
  int16: "none",
  gradient: (e, { dy }) => unary(e, "NEG", dy),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.1, -128), perTensor(0.1, 127)]),
    unarySample<Empty>({}, "float32", null, [-5, 5]),
  ],
});
