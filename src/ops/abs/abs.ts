import { rangeOf } from "../../base/dtype.js";
import { quantizeMultiplier } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { inRange, mul, scalar, scale, sub } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { negated, type Rescale, rescaling } from "../common/rescale.js";
import { defineUnary, floatKernel, unarySample } from "../common/unary.js";
import { inputOf, outputOf, scaleOf } from "../common/view.js";

/** Source: TFLM's elementwise.cc. Its path without a multiplier, for equal scales, gives what a factor of 1 does. */
function rescaleOf(view: NodeView<Empty>): Rescale {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const factor = quantizeMultiplier(scaleOf(input) / scaleOf(output));
  return { positive: factor, negative: negated(factor), range: rangeOf(output.dtype) };
}

export const abs = defineUnary<"ABS", Empty>({
  name: "ABS",
  summary: "Absolute value",
  tflite: emptyBinding(101, 5, 78),
  float: () => Math.abs,
  floatKernel: floatKernel("abs"),
  ...rescaling(rescaleOf),
  gradient: (e, { x, dy }) => mul(e, dy, sub(e, scale(e, inRange(e, x, 0, Infinity), 2), scalar(e, 1))),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.05, 3), perTensor(0.04, -128)]),
    unarySample<Empty>({}, "int8", [perTensor(0.05, -128), perTensor(0.05, 10)]),
    unarySample<Empty>({}, "int16", [perTensor(0.0003), perTensor(0.0002)]),
    unarySample<Empty>({}, "float32", null),
  ],
});
