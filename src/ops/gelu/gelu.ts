import { perTensor } from "../../ir/graph.js";
import { erf } from "../common/erf.js";
import { add, minusFrom, mul, scalar, scale, unary } from "../common/gradients.js";
import { bool } from "../common/options.js";
import { defineUnary, floatKernel, floatTableMap, unarySample } from "../common/unary.js";
import type { Kernel } from "../spec.js";

export interface GeluAttrs {
  /** Computed with tanh in place of the error function. */
  readonly approximate: boolean;
}

/** Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units". */
const exact = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const byTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const applyOf = ({ approximate }: GeluAttrs) => (approximate ? byTanh : exact);

const kernels = { exact: floatKernel<GeluAttrs>("gelu"), tanh: floatKernel<GeluAttrs>("gelu_tanh") };
const floatGelu: Kernel<GeluAttrs> = {
  ...kernels.exact,
  call: (view) => (view.attrs.approximate ? kernels.tanh : kernels.exact).call(view),
};

export const gelu = defineUnary<"GELU", GeluAttrs>({
  name: "GELU",
  summary: "x times the normal distribution's cumulative function at x",
  tflite: {
    builtin: 150,
    maxVersion: 2,
    options: { tag: 116, fields: [bool("approximate")] },
    decode: (v) => ({ approximate: v["approximate"] === true }),
    encode: (a) => ({ approximate: a.approximate }),
  },
  float: (view) => applyOf(view.attrs),
  floatKernel: floatGelu,
  int8: (view) => floatTableMap(view, applyOf(view.attrs)),
  int16: "none",
  gradient: (e, { x, dy, attrs }) => {
    const square = mul(e, x, x);
    if (!attrs.approximate) {
      const below = scale(e, add(e, unary(e, "ERF", scale(e, x, Math.SQRT1_2)), scalar(e, 1)), 0.5);
      const density = scale(e, unary(e, "EXP", scale(e, square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(e, dy, add(e, below, mul(e, x, density)));
    }
    const root = Math.sqrt(2 / Math.PI);
    const inner = mul(e, x, add(e, scale(e, square, root * 0.044715), scalar(e, root)));
    const t = unary(e, "TANH", inner);
    const slope = add(e, scale(e, square, 3 * root * 0.044715), scalar(e, root));
    const bend = mul(e, mul(e, x, minusFrom(e, 1, mul(e, t, t))), slope);
    return mul(e, dy, scale(e, add(e, add(e, t, scalar(e, 1)), bend), 0.5));
  },
  samples: [
    unarySample({ approximate: false }, "int8", [perTensor(0.04, 3), perTensor(0.03, -120)]),
    unarySample({ approximate: false }, "float32", null, [-5, 5]),
    unarySample({ approximate: true }, "float32", null, [-5, 5]),
  ],
});
