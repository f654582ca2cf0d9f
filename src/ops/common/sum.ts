import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import { quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { defineOp, type ExecView, type Kernel, type OpSpec, type Sample, type TfliteBinding } from "../spec.js";
import {
  type Activation,
  decodeActivation,
  encodeActivation,
  floatActivationRange,
  limit,
  quantizedActivationRange,
} from "./activation.js";
import {
  binaryKernel,
  binaryTraits,
  combineAll,
  floatArithmetic,
  inferBinary,
  int32ActivationRange,
  int32Arithmetic,
} from "./binary.js";
import { elementwiseChannels } from "./channels.js";
import { elementCost } from "./cost.js";
import { binaryGradient, unary } from "./gradients.js";
import { cornerRanges } from "./ranges.js";
import { armv6mFields } from "./sum-armv6m.js";
import { heliumFields, isOdd, negated } from "./sum-helium.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "./view.js";

export interface SumAttrs {
  readonly activation: Activation;
  /**
   * TFLite's choice between its two int16 kernels, kept for writing the file back. TFLM always takes the general one,
   * and so does this.
   */
  readonly potScaleInt16: boolean;
}

/**
 * The fields of th_sum_params but the broadcast, in double throughout. Source: TFLM's CalculateOpDataAdd; its 16-bit SUB
 * agrees (a version of sub_common.cc that divides in float32 does not).
 */
function sumParams(view: NodeView<SumAttrs>, sign: 1 | -1) {
  const [a, b, out] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const leftShift = out.dtype === "int16" ? 15 : 20;
  const twiceMax = 2 * Math.max(scaleOf(a), scaleOf(b));
  const first = quantizeMultiplier(scaleOf(a) / twiceMax);
  const second = quantizeMultiplier(scaleOf(b) / twiceMax);
  const result = quantizeMultiplier(twiceMax / (2 ** leftShift * scaleOf(out)));
  return {
    sign,
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
    ...quantizedActivationRange(view.attrs.activation, out),
  };
}

/** Addition or subtraction; the integer part follows TFLM's reference_integer_ops::AddElementwise and SubElementwise. */
function sumReference(view: ExecView<SumAttrs>, sign: 1 | -1): void {
  const { dtype } = outputOf(view, 0);
  const { activation } = view.attrs;
  if (dtype === "float32" || dtype === "int32") {
    const range = dtype === "int32" ? int32ActivationRange(activation) : floatActivationRange(activation);
    const store = dtype === "int32" ? (x: number): number => x | 0 : (x: number): number => x;
    combineAll(view, (x1, x2) => limit(store(x1 + sign * x2), range));
    return;
  }
  const p = sumParams(view, sign);
  combineAll(view, (x1, x2) => {
    const wide1 = requantize((x1 - p.zero1) << p.left_shift, p.multiplier1, p.shift1);
    const wide2 = requantize((x2 - p.zero2) << p.left_shift, p.multiplier2, p.shift2);
    return limit((requantize((wide1 + sign * wide2) | 0, p.out_multiplier, p.out_shift) + p.out_zero) | 0, p);
  });
}

/** What th_sum_s8_dsp needs, the input of the larger scale first; null where its finish is not exact. */
function dspParams(
  view: NodeView<SumAttrs>,
): { readonly first: 0 | 1; readonly fields: Record<string, number> } | null {
  const [a, b, out] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const isWhole = [a, b].every((t) => t.shape.join() === out.shape.join());
  const p = sumParams(view, 1);
  const first = p.multiplier1 === 2 ** 30 && p.shift1 === 0 ? 0 : 1;
  const [zero1, zero2] = first === 0 ? [p.zero1, p.zero2] : [p.zero2, p.zero1];
  const [multiplier2, shift2] = first === 0 ? [p.multiplier2, p.shift2] : [p.multiplier1, p.shift1];
  // Equal scales: nothing to round, which a shift by one more and back by one comes to.
  const right2 = shift2 === 0 ? 1 : -shift2;
  const left = shift2 === 0 ? 22 : 21;
  const right = -p.out_shift;
  const isExact = right2 >= 1 && right2 <= 22 && right >= 1 && right <= 22 && (shift2 < 0 || multiplier2 === 2 ** 30);
  if (!isWhole || !isExact) return null;
  const fields = {
    n: elementsOf(out.shape),
    offset1: -zero1 * 2 ** 20,
    left,
    offset2: -zero2 * 2 ** left,
    multiplier2,
    half2: 2 ** (right2 - 1),
    right2,
    out_multiplier: p.out_multiplier,
    add: (2 * p.out_zero + 1) * 2 ** (right - 1),
    out_right: right,
    min: p.min,
    max: p.max,
  };
  return { first, fields };
}

/** int8 tensors of one shape, the input of the larger scale first. */
const wholeSum = (
  isa: "helium" | "dsp" | "armv6m",
  params: string,
  fieldsOf: (fields: Readonly<Record<string, number>>) => Record<string, number>,
): Kernel<SumAttrs> => ({
  name: `${isa} s8`,
  form: "slice",
  isa,
  types: { inputs: ["int8", "int8"], outputs: ["int8"] },
  matches: (view) => dspParams(view) !== null,
  call: (view) => {
    const { first, fields } = present(dspParams(view), "parameters of a sum");
    return {
      source: `ops/common/sum_s8_${isa}.h`,
      symbol: `th_sum_s8_${isa}`,
      params: { type: params, fields: fieldsOf(fields) },
      args: [
        { kind: "input", index: first },
        { kind: "input", index: 1 - first },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

/** The difference of int8 tensors of one shape: the input of the larger scale first, whichever is subtracted. */
const dspDifference: Kernel<SumAttrs> = {
  ...wholeSum("dsp", "th_sum_dsp_params", (fields) => fields),
  call: (view) => {
    const { first, fields } = present(dspParams(view), "parameters of a difference");
    const offset1 = Number(fields["offset1"]) * (first === 0 ? 1 : -1);
    return {
      source: "ops/common/sum_s8_dsp.h",
      symbol: first === 0 ? "th_less_second_s8_dsp" : "th_less_first_s8_dsp",
      params: { type: "th_sum_dsp_params", fields: { ...fields, offset1: offset1 === 0 ? 0 : offset1 } },
      args: [
        { kind: "input", index: first },
        { kind: "input", index: 1 - first },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
};

/** The difference for Helium, as a sum of the first input and the second with its sign changed. */
const heliumDifference: Kernel<SumAttrs> = {
  ...wholeSum("helium", "th_sum_helium_params", heliumFields),
  matches: (view) => {
    const given = dspParams(view);
    return given !== null && (given.first === 1 || isOdd(heliumFields(given.fields)));
  },
  call: (view) => {
    const { first, fields } = present(dspParams(view), "parameters of a difference");
    const call = wholeSum("helium", "th_sum_helium_params", heliumFields).call(view);
    return { ...call, params: { type: "th_sum_helium_params", fields: negated(heliumFields(fields), first) } };
  },
};

const heliumSum = wholeSum("helium", "th_sum_helium_params", heliumFields);
const dspSum = wholeSum("dsp", "th_sum_dsp_params", (fields) => fields);
const armv6mSum = wholeSum("armv6m", "th_sum_m0_params", armv6mFields);

const attrs: SumAttrs = { activation: "NONE", potScaleInt16: false };

const samples: readonly Sample<SumAttrs>[] = [
  {
    name: "int8, zero points at the extremes",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [1, 5, 3, 7], dtype: "int8", quant: perTensor(0.05, 127) },
      { shape: [1, 5, 3, 7], dtype: "int8", quant: perTensor(0.013, -128) },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.07, -3) }],
  },
  {
    name: "int8, channels broadcast",
    attrs,
    inputs: [
      { shape: [2, 3, 1, 5], dtype: "int8", quant: perTensor(0.5, 4) },
      { shape: [4, 5], dtype: "int8", quant: perTensor(0.3, 0), constant: "random" },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.4, 11) }],
  },
  {
    name: "int8, an image and a value for each channel",
    attrs,
    inputs: [
      { shape: [1, 4, 3, 5], dtype: "int8", quant: perTensor(0.05, 9) },
      { shape: [1, 1, 1, 5], dtype: "int8", quant: perTensor(0.03, -4) },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.06, 2) }],
  },
  {
    name: "int16, a scalar and an image",
    attrs,
    inputs: [
      { shape: [], dtype: "int16", quant: perTensor(0.0002), constant: [1234] },
      { shape: [1, 3, 4, 2], dtype: "int16", quant: perTensor(0.0003) },
    ],
    outputs: [{ dtype: "int16", quant: perTensor(0.0004) }],
  },
  {
    name: "float, an image and one of its columns",
    attrs,
    inputs: [
      { shape: [1, 3, 1, 2], dtype: "float32" },
      { shape: [1, 3, 4, 2], dtype: "float32" },
    ],
    outputs: [{ dtype: "float32" }],
  },
  {
    name: "int8, scalar first",
    attrs: { ...attrs, activation: "RELU6" },
    inputs: [
      { shape: [], dtype: "int8", quant: perTensor(0.02, 1), constant: [77] },
      { shape: [13], dtype: "int8", quant: perTensor(0.02, -9) },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.03, -128) }],
  },
  {
    name: "int16",
    attrs,
    inputs: [
      { shape: [1, 4, 1, 3], dtype: "int16", quant: perTensor(0.0003) },
      { shape: [1, 4, 1, 3], dtype: "int16", quant: perTensor(0.0005) },
    ],
    outputs: [{ dtype: "int16", quant: perTensor(0.0007) }],
  },
  {
    name: "float, both sides broadcast",
    attrs: { ...attrs, activation: "RELU_N1_TO_1" },
    inputs: [
      { shape: [3, 1, 4], dtype: "float32" },
      { shape: [2, 1], dtype: "float32" },
    ],
    outputs: [{ dtype: "float32" }],
  },
  {
    name: "int32",
    attrs,
    inputs: [
      { shape: [2, 9], dtype: "int32" },
      { shape: [2, 9], dtype: "int32" },
    ],
    outputs: [{ dtype: "int32" }],
  },
];

/** ADD and SUB: what differs is the sign and the options. */
export function defineSum<const Name extends string>(op: {
  readonly name: Name;
  readonly summary: string;
  readonly sign: 1 | -1;
  readonly tflite: { readonly builtin: number; readonly maxVersion: number; readonly tag: number };
}): OpSpec<Name, SumAttrs> {
  const { sign } = op;
  const activationOf = (a: SumAttrs): Activation => a.activation;
  const quantized = (dtype: "int8" | "int16", suffix: string): Kernel<SumAttrs> =>
    binaryKernel(dtype, (view) => ({
      source: "ops/common/sum_int.h",
      symbol: `th_sum_${suffix}`,
      params: "th_sum_params",
      fields: sumParams(view, sign),
    }));
  const name = sign === 1 ? "add" : "sub";
  const tflite: TfliteBinding<SumAttrs> = {
    builtin: op.tflite.builtin,
    maxVersion: op.tflite.maxVersion,
    options: {
      tag: op.tflite.tag,
      fields: [
        ["activation", "int8", 0],
        ["potScaleInt16", "bool", true],
      ],
    },
    decode: (v, report) => ({
      activation: decodeActivation(v.activation, report),
      potScaleInt16: Boolean(v.potScaleInt16),
    }),
    encode: (a) => ({ activation: encodeActivation(a.activation), potScaleInt16: a.potScaleInt16 }),
  };
  const reference = (view: ExecView<SumAttrs>): void => sumReference(view, sign);
  return defineOp<Name, SumAttrs>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: binaryTraits,
    tflite,
    infer: inferBinary,
    reference,
    gradient: binaryGradient(activationOf, (e, { dy }) => [dy, sign === 1 ? dy : unary(e, "NEG", dy)]),
    ranges: cornerRanges(reference, (view) => sumParams(view, sign).out_shift <= 0),
    channels: elementwiseChannels,
    cost: elementCost(1),
    kernels: [
      ...(sign === 1 ? [heliumSum, dspSum, armv6mSum] : [heliumDifference, dspDifference]),
      quantized("int8", "s8"),
      quantized("int16", "s16"),
      int32Arithmetic(name, activationOf),
      floatArithmetic(name, activationOf),
    ],
    samples,
  });
}
