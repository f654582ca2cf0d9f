import { rangeOf } from "../../base/dtype.js";
import { quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { limit } from "../common/activation.js";
import {
  binaryKernel,
  binaryTraits,
  combineAll,
  floatArithmetic,
  inferBinary,
  int32Arithmetic,
} from "../common/binary.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { binaryGradient, mul, scale, sub, unary } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel } from "../spec.js";

/** Source: TFLM's squared_difference.cc, PrepareQuantized; the output's divisor is a product in float32. */
function params(view: NodeView<Empty>) {
  const [a, b, out] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const leftShift = out.dtype === "int8" ? 7 : 0;
  const twiceMax = 2 * Math.max(scaleOf(a), scaleOf(b));
  const first = quantizeMultiplier(scaleOf(a) / twiceMax);
  const second = quantizeMultiplier(scaleOf(b) / twiceMax);
  const result = quantizeMultiplier((twiceMax * twiceMax) / Math.fround(4 ** leftShift * scaleOf(out)));
  const { min, max } = rangeOf(out.dtype);
  return {
    left_shift: leftShift,
    zero1: zeroPointOf(a),
    zero2: zeroPointOf(b),
    out_zero: zeroPointOf(out),
    multiplier1: first.multiplier,
    shift1: first.shift,
    multiplier2: second.multiplier,
    shift2: second.shift,
    out_multiplier: result.multiplier,
    out_shift: result.shift,
    min,
    max,
  };
}

function squaredDifferenceReference(view: ExecView<Empty>): void {
  const { dtype } = outputOf(view, 0);
  if (dtype === "float32") combineAll(view, (x1, x2) => Math.fround(x1 - x2) ** 2);
  else if (dtype === "int32") combineAll(view, (x1, x2) => Math.imul(x1 - x2, x1 - x2));
  else {
    const p = params(view);
    combineAll(view, (x1, x2) => {
      const wide1 = requantize((x1 - p.zero1) << p.left_shift, p.multiplier1, p.shift1);
      const wide2 = requantize((x2 - p.zero2) << p.left_shift, p.multiplier2, p.shift2);
      const square = Math.imul(wide1 - wide2, wide1 - wide2);
      return limit((requantize(square, p.out_multiplier, p.out_shift) + p.out_zero) | 0, p);
    });
  }
}

const quantized = (dtype: "int8" | "int16", suffix: string): Kernel<Empty> =>
  binaryKernel(dtype, (view) => ({
    source: "ops/squared_difference/squared_difference_int.h",
    symbol: `th_squared_difference_${suffix}`,
    params: "th_squared_difference_params",
    fields: params(view),
  }));

const noActivation = () => "NONE" as const;

export const squaredDifference = defineOp<"SQUARED_DIFFERENCE", Empty>({
  name: "SQUARED_DIFFERENCE",
  summary: "(x1 - x2)^2 with broadcasting",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: binaryTraits,
  tflite: emptyBinding(99, 3, 76),
  infer: inferBinary,
  reference: squaredDifferenceReference,
  gradient: binaryGradient(noActivation, (e, { a, b, dy }) => {
    const da = mul(e, dy, scale(e, sub(e, a, b), 2));
    return [da, unary(e, "NEG", da)];
  }),
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(2),
  kernels: [
    quantized("int8", "s8"),
    quantized("int16", "s16"),
    int32Arithmetic("squared_difference", noActivation),
    floatArithmetic("squared_difference", noActivation),
  ],
  samples: [
    {
      name: "int8, the mean broadcast",
      attrs: {},
      inputs: [
        { shape: [2, 3, 4, 5], dtype: "int8", quant: perTensor(0.05, 3) },
        { shape: [2, 1, 1, 5], dtype: "int8", quant: perTensor(0.02, -128) },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.3, -128) }],
    },
    {
      name: "int8, two images",
      attrs: {},
      inputs: [
        { shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.05, 3) },
        { shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.02, -128) },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.3, -128) }],
    },
    {
      name: "int16",
      attrs: {},
      inputs: [
        { shape: [17], dtype: "int16", quant: perTensor(0.001) },
        { shape: [17], dtype: "int16", quant: perTensor(0.0004) },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.03) }],
    },
    ...(["int32", "float32"] as const).map((dtype) => ({
      name: dtype,
      attrs: {},
      inputs: [
        { shape: [4, 5], dtype },
        { shape: [5], dtype },
      ],
      outputs: [{ dtype }],
    })),
  ],
});
