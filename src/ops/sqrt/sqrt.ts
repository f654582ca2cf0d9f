import { rangeOf } from "../../base/dtype.js";
import { clamp } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { div, scale } from "../common/gradients.js";
import type { ElementMap } from "../common/lut.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, unarySample } from "../common/unary.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";

/**
 * 8 bits by way of float32, the quotient truncated rather than rounded. Source: TFLite's kernel, measured over all
 * inputs (TFLM has float only); inputs below the zero point, which TFLite rejects, give the lowest value.
 */
function sqrtMap(view: NodeView<Empty>): ElementMap {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const { min, max } = rangeOf(output.dtype);
  return (x) => {
    const real = Math.fround(scaleOf(input) * (x - zeroPointOf(input)));
    if (real < 0) return min;
    const steps = Math.trunc(Math.fround(Math.fround(Math.sqrt(real)) / scaleOf(output)));
    return clamp(steps + zeroPointOf(output), min, max);
  };
}

export const sqrt = defineUnary<"SQRT", Empty>({
  name: "SQRT",
  summary: "Square root",
  tflite: emptyBinding(75, 2, 0),
  float: () => (x) => Math.sqrt(x),
  floatKernel: floatKernel("sqrt"),
  int8: sqrtMap,
  int16: "none",
  gradient: (e, { y, dy }) => div(e, scale(e, dy, 0.5), y),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.1, -120), perTensor(0.04, -128)]),
    unarySample<Empty>({}, "float32", null, [0, 50]),
  ],
});
