import { quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import {
  type Activation,
  decodeActivation,
  encodeActivation,
  floatActivationRange,
  limit,
  quantizedActivationRange,
} from "../common/activation.js";
import {
  binaryKernel,
  binaryTraits,
  combineAll,
  floatArithmetic,
  inferBinary,
  int32ActivationRange,
  int32Arithmetic,
} from "../common/binary.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { int8 } from "../common/options.js";
import { cornerRanges } from "../common/ranges.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel } from "../spec.js";

export interface MulAttrs {
  readonly activation: Activation;
}

/** The fields of th_product_params but the broadcast. Source: TFLM's mul_common.cc. */
function productParams(view: NodeView<MulAttrs>) {
  const [a, b, out] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  return {
    zero1: zeroPointOf(a),
    zero2: zeroPointOf(b),
    out_zero: zeroPointOf(out),
    ...quantizeMultiplier((scaleOf(a) * scaleOf(b)) / scaleOf(out)),
    ...quantizedActivationRange(view.attrs.activation, out),
  };
}

/** True if no product of two differences from zero points leaves 32 bits when it is shifted left. */
const isWithin32Bits = (view: NodeView<MulAttrs>): boolean => {
  const { shift } = productParams(view);
  return shift <= (outputOf(view, 0).dtype === "int8" ? 14 : 0);
};

/** Integers as reference_integer_ops::MulElementwise. */
function mulReference(view: ExecView<MulAttrs>): void {
  const { dtype } = outputOf(view, 0);
  const { activation } = view.attrs;
  if (dtype === "float32") {
    const range = floatActivationRange(activation);
    combineAll(view, (x1, x2) => limit(x1 * x2, range));
  } else if (dtype === "int32") {
    const range = int32ActivationRange(activation);
    combineAll(view, (x1, x2) => limit(Math.imul(x1, x2), range));
  } else {
    const p = productParams(view);
    combineAll(view, (x1, x2) =>
      limit((requantize((x1 - p.zero1) * (x2 - p.zero2), p.multiplier, p.shift) + p.out_zero) | 0, p),
    );
  }
}

const quantized = (dtype: "int8" | "int16", suffix: string): Kernel<MulAttrs> =>
  binaryKernel(dtype, (view) => ({
    source: "ops/mul/product_int.h",
    symbol: `th_mul_${suffix}`,
    params: "th_product_params",
    fields: productParams(view),
  }));

const activationOf = (a: MulAttrs): Activation => a.activation;
const attrs: MulAttrs = { activation: "NONE" };

export const mul = defineOp<"MUL", MulAttrs>({
  name: "MUL",
  summary: "Multiplication with broadcasting and activation",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: binaryTraits,
  tflite: {
    builtin: 18,
    maxVersion: 8,
    options: { tag: 21, fields: [int8("activation")] },
    decode: (v, report) => ({ activation: decodeActivation(v.activation, report) }),
    encode: (a) => ({ activation: encodeActivation(a.activation) }),
  },
  infer: inferBinary,
  reference: mulReference,
  gradient: "none",
  ranges: cornerRanges(mulReference, isWithin32Bits),
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: [
    quantized("int8", "s8"),
    quantized("int16", "s16"),
    int32Arithmetic("mul", activationOf),
    floatArithmetic("mul", activationOf),
  ],
  samples: [
    {
      name: "int8, zero points at the extremes",
      attrs,
      inputs: [
        { shape: [1, 4, 3, 5], dtype: "int8", quant: perTensor(0.05, 127) },
        { shape: [1, 4, 3, 5], dtype: "int8", quant: perTensor(0.03, -128) },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.1, -3) }],
    },
    {
      name: "int8, a gate for each channel",
      attrs: { activation: "RELU6" },
      inputs: [
        { shape: [2, 3, 4, 5], dtype: "int8", quant: perTensor(0.05, 3) },
        { shape: [2, 1, 1, 5], dtype: "int8", quant: perTensor(1 / 256, -128) },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.03, -128) }],
    },
    {
      name: "int8, a gate for each channel of one image",
      attrs,
      inputs: [
        { shape: [1, 4, 3, 5], dtype: "int8", quant: perTensor(0.05, 3) },
        { shape: [1, 1, 1, 5], dtype: "int8", quant: perTensor(1 / 256, -128) },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.03, -5) }],
    },
    {
      name: "float, an image by a scalar",
      attrs,
      inputs: [
        { shape: [1, 3, 4, 2], dtype: "float32" },
        { shape: [1], dtype: "float32", constant: [0.4] },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "int16",
      attrs,
      inputs: [
        { shape: [3, 7], dtype: "int16", quant: perTensor(0.0003) },
        { shape: [7], dtype: "int16", quant: perTensor(0.0001) },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.0005) }],
    },
    {
      name: "int32",
      attrs: { activation: "RELU" },
      inputs: [
        { shape: [9], dtype: "int32" },
        { shape: [1], dtype: "int32" },
      ],
      outputs: [{ dtype: "int32" }],
    },
    {
      name: "float, six dimensions",
      attrs,
      inputs: [
        { shape: [2, 1, 3, 1, 2, 1], dtype: "float32" },
        { shape: [1, 2, 1, 3, 1, 2], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
