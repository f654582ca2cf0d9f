import { clamp, quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { binaryKernel, binaryTraits, combineAll, inferBinary } from "../common/binary.js";
import { elementwiseChannels } from "../common/channels.js";
import { checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { add, binaryGradient, inRange, minusFrom, mul } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView } from "../spec.js";

/** Source: TFLM's prelu_common.cc, whose multipliers are formed in double, and reference_ops::Prelu. */
function params(view: NodeView<Empty>) {
  const [input, alpha, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const positive = quantizeMultiplier(scaleOf(input) / scaleOf(output));
  const negative = quantizeMultiplier((scaleOf(input) * scaleOf(alpha)) / scaleOf(output));
  return {
    zero: zeroPointOf(input),
    alpha_zero: zeroPointOf(alpha),
    out_zero: zeroPointOf(output),
    multiplier: positive.multiplier,
    shift: positive.shift,
    negative_multiplier: negative.multiplier,
    negative_shift: negative.shift,
  };
}

function preluReference(view: ExecView<Empty>): void {
  if (outputOf(view, 0).dtype === "float32") {
    combineAll(view, (x, alpha) => (x >= 0 ? x : x * alpha));
    return;
  }
  const p = params(view);
  combineAll(view, (x, alpha) => {
    const centred = x - p.zero;
    const scaled =
      centred >= 0
        ? requantize(centred, p.multiplier, p.shift)
        : requantize(centred * (alpha - p.alpha_zero), p.negative_multiplier, p.negative_shift);
    return clamp((scaled + p.out_zero) | 0, -128, 127);
  });
}

export const prelu = defineOp<"PRELU", Empty>({
  name: "PRELU",
  summary: "x, or alpha x below zero, alpha broadcast",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...binaryTraits, inPlace: [0], parameters: [1] },
  tflite: emptyBinding(54, 1, 0),
  infer: (view, report) => {
    const inferred = inferBinary(view, report);
    const input = inputOf(view, 0);
    const same = inferred?.[0]?.shape.join() === input.shape.join();
    return inferred &&
      checkShape(inputOf(view, 1), same, `a shape that broadcasts to [${input.shape.join(", ")}]`, report)
      ? inferred
      : null;
  },
  reference: preluReference,
  gradient: binaryGradient(
    () => "NONE",
    (e, { a: x, b: alpha, dy }) => {
      const above = inRange(e, x, 0, Infinity);
      const below = mul(e, dy, minusFrom(e, 1, above));
      return [add(e, mul(e, dy, above), mul(e, below, alpha)), mul(e, below, x)];
    },
  ),
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: [
    binaryKernel("int8", (view) => ({
      source: "ops/prelu/prelu.h",
      symbol: "th_prelu_s8",
      params: "th_prelu_params",
      fields: params(view),
    })),
    binaryKernel("float32", () => ({
      source: "ops/prelu/prelu.h",
      symbol: "th_prelu_f32",
      params: "th_prelu_f32_params",
      fields: {},
    })),
  ],
  samples: [
    {
      name: "int8, alpha for each channel",
      attrs: {},
      inputs: [
        { shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.05, 3) },
        { shape: [1, 1, 5], dtype: "int8", quant: perTensor(0.01, -20), constant: "random" },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.04, -100) }],
    },
    {
      name: "float",
      attrs: {},
      inputs: [
        { shape: [1, 3, 4, 5], dtype: "float32" },
        { shape: [3, 4, 5], dtype: "float32", constant: "random" },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
