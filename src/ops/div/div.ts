import {
  type Activation,
  decodeActivation,
  encodeActivation,
  floatActivationRange,
  limit,
} from "../common/activation.js";
import { binaryKernel, binaryTraits, combineAll, floatArithmetic, inferBinary } from "../common/binary.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { binaryGradient, div as divide, mul, unary } from "../common/gradients.js";
import { int8 } from "../common/options.js";
import { inputOf } from "../common/view.js";
import { defineOp } from "../spec.js";

export interface DivAttrs {
  readonly activation: Activation;
}

/** Truncated, as TFLite's; 0 where the divisor is 0, which TFLite refuses. */
const integerQuotient = (x1: number, x2: number): number => (x2 === 0 ? 0 : Math.trunc(x1 / x2));

export const div = defineOp<"DIV", DivAttrs>({
  name: "DIV",
  summary: "Division with broadcasting and activation",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: binaryTraits,
  tflite: {
    builtin: 42,
    maxVersion: 2,
    options: { tag: 29, fields: [int8("activation")] },
    decode: (v, report) => ({ activation: decodeActivation(v.activation, report) }),
    encode: (a) => ({ activation: encodeActivation(a.activation) }),
  },
  infer: inferBinary,
  reference: (view) => {
    const range = floatActivationRange(view.attrs.activation);
    const isInteger = inputOf(view, 0).dtype === "int32";
    combineAll(view, isInteger ? integerQuotient : (x1, x2) => limit(x1 / x2, range));
  },
  gradient: binaryGradient(
    (a) => a.activation,
    (e, { a, b, dy }) => {
      const da = divide(e, dy, b);
      return [da, unary(e, "NEG", divide(e, mul(e, da, a), b))];
    },
  ),
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: [
    floatArithmetic("div", (a) => a.activation),
    {
      ...binaryKernel<DivAttrs>("int32", () => ({
        source: "ops/common/plain_binary.h",
        symbol: "th_div_s32",
        params: "th_binary_params",
        fields: {},
      })),
      matches: (view) => view.attrs.activation === "NONE",
    },
  ],
  samples: [
    {
      name: "float",
      attrs: { activation: "NONE" },
      inputs: [
        { shape: [3, 4], dtype: "float32" },
        { shape: [3, 1], dtype: "float32", range: [0.5, 2] },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "float, an image by a value for each channel",
      attrs: { activation: "NONE" },
      inputs: [
        { shape: [1, 3, 4, 2], dtype: "float32" },
        { shape: [2], dtype: "float32", range: [0.5, 2] },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "int32",
      attrs: { activation: "NONE" },
      inputs: [
        { shape: [1, 3, 5], dtype: "int32", range: [-99, 99] },
        { shape: [5], dtype: "int32", constant: [3, -2, 1, -7, 5] },
      ],
      outputs: [{ dtype: "int32" }],
    },
    {
      name: "float by a scalar, relu",
      attrs: { activation: "RELU" },
      inputs: [
        { shape: [2, 2, 3], dtype: "float32" },
        { shape: [], dtype: "float32", constant: [-0.3] },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
