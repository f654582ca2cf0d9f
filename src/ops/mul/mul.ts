import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
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
import { binaryGradient, mul as mulOf } from "../common/gradients.js";
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

/** int8 on cores with the DSP instructions, for right shifts that their finish is exact for. */
const dspKernel: Kernel<MulAttrs> = {
  ...binaryKernel("int8", (view: NodeView<MulAttrs>) => {
    const { zero1, zero2, out_zero, multiplier, shift, min, max } = productParams(view);
    const add = (2 * out_zero + 1) * 2 ** (-shift - 1);
    return {
      source: "ops/mul/product_s8_dsp.h",
      symbol: "th_mul_s8_dsp",
      params: "th_product_dsp_params",
      fields: { zero1, zero2, multiplier, add, right: -shift, min, max },
    };
  }),
  name: "dsp s8",
  isa: "dsp",
  matches: (view) => {
    const { shift } = productParams(view);
    return shift <= -1 && shift >= -22;
  },
};

const activationOf = (a: MulAttrs): Activation => a.activation;
const attrs: MulAttrs = { activation: "NONE" };

/** Elements of a tensor whose values repeat along the output's first axes, or all of them; null where others repeat. */
function repeats(shape: readonly number[], out: readonly number[]): number | null {
  const n = elementsOf(shape);
  const whole = out.toReversed();
  const given = shape.toReversed();
  const first = whole.findIndex((size, i) => (given[i] ?? 1) !== size);
  return first < 0 || given.slice(first).every((size) => size === 1) ? n : null;
}

/** The runs of th_product_helium_params; null where the tensors are not of the shapes that those are for. */
function heliumRuns(view: NodeView<MulAttrs>) {
  const out = outputOf(view, 0).shape;
  const [n1, n2] = [0, 1].map((i) => repeats(inputOf(view, i).shape, out)) as [number | null, number | null];
  const all = elementsOf(out);
  if (n1 === null || n2 === null || Math.max(n1, n2) !== all || all === 0) return null;
  const n = Math.min(n1, n2);
  return { outer: all / n, n, step1: n1 === all ? n : 0, step2: n2 === all ? n : 0 };
}

/** int8 for Helium, for right shifts, of tensors of one shape, or one of which repeats. */
const heliumKernel: Kernel<MulAttrs> = {
  name: "helium s8",
  isa: "helium",
  form: "slice",
  types: { inputs: ["int8", "int8"], outputs: ["int8"] },
  matches: (view) => productParams(view).shift <= -1 && (heliumRuns(view)?.n ?? 0) >= 4,
  call: (view) => {
    const { shift, ...fields } = productParams(view);
    return {
      source: "ops/mul/product_s8_helium.h",
      symbol: "th_product_s8_helium",
      params: {
        type: "th_product_helium_params",
        fields: { ...present(heliumRuns(view), "runs"), ...fields, right: -shift },
      },
      args: [
        { kind: "input", index: 0 },
        { kind: "input", index: 1 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
};

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
  gradient: binaryGradient(activationOf, (e, { a, b, dy }) => [mulOf(e, dy, b), mulOf(e, dy, a)]),
  ranges: cornerRanges(mulReference, isWithin32Bits),
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: [
    heliumKernel,
    dspKernel,
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
