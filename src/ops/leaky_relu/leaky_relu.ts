import { rangeOf } from "../../base/dtype.js";
import { quantizeMultiplier } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkOption } from "../common/checks.js";
import { add, inRange, mul, scalar, scale } from "../common/gradients.js";
import { float } from "../common/options.js";
import { type Rescale, rescaling } from "../common/rescale.js";
import { defineUnary, inferUnary, unaryKernel, unarySample } from "../common/unary.js";
import { inputOf, outputOf, scaleOf } from "../common/view.js";

export interface LeakyReluAttrs {
  /** The slope below zero; any finite number. */
  readonly alpha: number;
}

/** Source: TFLM's leaky_relu_common.cc, which forms both multipliers in float32, and QuantizeLeakyRelu. */
function rescaleOf(view: NodeView<LeakyReluAttrs>): Rescale {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const alpha = Math.fround(view.attrs.alpha);
  return {
    positive: quantizeMultiplier(Math.fround(scaleOf(input) / scaleOf(output))),
    negative: quantizeMultiplier(Math.fround(Math.fround(scaleOf(input) * alpha) / scaleOf(output))),
    range: rangeOf(output.dtype),
  };
}

const attrs: LeakyReluAttrs = { alpha: Math.fround(0.2) };

export const leakyRelu = defineUnary<"LEAKY_RELU", LeakyReluAttrs>({
  name: "LEAKY_RELU",
  summary: "x, or alpha x below zero",
  tflite: {
    builtin: 98,
    maxVersion: 2,
    options: { tag: 75, fields: [float("alpha")] },
    decode: (v) => ({ alpha: Number(v.alpha) }),
    encode: (a) => ({ alpha: a.alpha }),
  },
  float: (view) => (x) => (x > 0 ? x : x * Math.fround(view.attrs.alpha)),
  floatKernel: unaryKernel("float32", "ops/common/unary_f32.h", "th_leaky_relu_f32", {
    type: "th_slope_f32_params",
    fields: (view) => ({ alpha: { float: view.attrs.alpha } }),
  }),
  ...rescaling(rescaleOf),
  infer: (view, report) => {
    const { alpha } = view.attrs;
    return checkOption(Number.isFinite(alpha), "alpha", alpha, "finite", report) ? inferUnary(view, report) : null;
  },
  gradient: (e, { x, dy, attrs }) =>
    mul(e, dy, add(e, scale(e, inRange(e, x, 0, Infinity), 1 - attrs.alpha), scalar(e, attrs.alpha))),
  samples: [
    unarySample(attrs, "int8", [perTensor(0.05, 3), perTensor(0.04, -60)]),
    unarySample({ alpha: -1.5 }, "int8", [perTensor(0.05, 127), perTensor(0.09, -128)]),
    unarySample(attrs, "int16", [perTensor(0.0003), perTensor(0.0002)]),
    unarySample({ alpha: -0.5 }, "float32", null),
  ],
});
