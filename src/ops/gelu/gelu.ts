import { perTensor } from "../../ir/graph.js";
import { erf } from "../common/erf.js";
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
  samples: [
    unarySample({ approximate: false }, "int8", [perTensor(0.04, 3), perTensor(0.03, -120)]),
    unarySample({ approximate: false }, "float32", null, [-5, 5]),
    unarySample({ approximate: true }, "float32", null, [-5, 5]),
  ],
});
