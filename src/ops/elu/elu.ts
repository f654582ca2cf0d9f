import { perTensor } from "../../ir/graph.js";
import { add, mul, scalar } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";

/** Source for 8 bits: TFLM's elu.cc, a table computed in float32. */
const apply = (x: number): number => (x < 0 ? Math.expm1(x) : x);

export const elu = defineUnary<"ELU", Empty>({
  name: "ELU",
  summary: "x, or exp(x) - 1 below zero",
  tflite: emptyBinding(111, 1, 0),
  float: () => apply,
  floatKernel: floatKernel("elu"),
  // TFLM subtracts in float32, which loses the digits that expm1 keeps.
  int8: (view) => floatTableMap(view, (x) => (x < 0 ? Math.fround(Math.exp(x)) - 1 : x)),
  int16: "none",
  gradient: (e, { y, dy }) => {
    const below = e.node("MINIMUM", [y, scalar(e, 0)], {})[0] ?? y;
    return mul(e, dy, add(e, below, scalar(e, 1)));
  },
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.05, 12), perTensor(0.03, -90)]),
    unarySample<Empty>({}, "float32", null, [-4, 4]),
  ],
});
