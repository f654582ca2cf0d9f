import { perTensor, type Quantization } from "../../ir/graph.js";
import {
  type Activation,
  decodeActivation,
  encodeActivation,
  floatActivationRange,
  quantizedActivationRange,
} from "../common/activation.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { int8, int32 } from "../common/options.js";
import { decodePadding, encodePadding, type Padding, window2d } from "../common/padding.js";
import { channelMultipliers, checkWeightQuantization, multiplierArgs, multiplierStep } from "../common/requantize.js";
import { inputOf, optionalInput, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import { type CValue, defineOp, type Kernel, type KernelArg, noTraits, type Sample } from "../spec.js";
import type { NodeView } from "../../ir/graph.js";
import { conv2dReference } from "./reference.js";

export interface Conv2dAttrs {
  readonly padding: Padding;
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly activation: Activation;
}

/** Input, filter and output sizes and the window of a convolution; NHWC input, OHWI filter. */
export function conv2dGeometry(view: NodeView<Conv2dAttrs>) {
  const input = inputOf(view, 0).shape;
  const filter = inputOf(view, 1).shape;
  const kernel = [sizeAt(filter, 1), sizeAt(filter, 2)] as const;
  const [batch, height, width, channels] = [sizeAt(input, 0), sizeAt(input, 1), sizeAt(input, 2), sizeAt(input, 3)];
  return {
    batch,
    height,
    width,
    channels,
    outChannels: sizeAt(filter, 0),
    kernel,
    /** Input channels that one filter sees: all of them divided by the groups. */
    filterChannels: sizeAt(filter, 3),
    ...window2d(height, width, { kernel, ...view.attrs }),
  };
}

/** The fields of `th_conv2d_params`. */
function params(view: NodeView<Conv2dAttrs>): Record<string, CValue> {
  const g = conv2dGeometry(view);
  return {
    batch: g.batch,
    in_h: g.height,
    in_w: g.width,
    in_c: g.channels,
    out_h: g.outHeight,
    out_w: g.outWidth,
    out_c: g.outChannels,
    k_h: g.kernel[0],
    k_w: g.kernel[1],
    k_c: g.filterChannels,
    stride_h: view.attrs.stride[0],
    stride_w: view.attrs.stride[1],
    dilation_h: view.attrs.dilation[0],
    dilation_w: view.attrs.dilation[1],
    pad_top: g.padTop,
    pad_left: g.padLeft,
  };
}

const tensorArgs = (view: NodeView<unknown>): readonly KernelArg[] => [
  { kind: "input", index: 0 },
  { kind: "input", index: 1 },
  optionalInput(view, 2) ? { kind: "input", index: 2 } : { kind: "null" },
];

function quantizedCall(view: NodeView<Conv2dAttrs>, suffix: string) {
  const multipliers = channelMultipliers(inputOf(view, 0), inputOf(view, 1), outputOf(view, 0));
  const range = quantizedActivationRange(view.attrs.activation, outputOf(view, 0));
  return {
    source: `ops/conv2d/conv2d_${suffix}.h`,
    symbol: `th_conv2d_${suffix}`,
    params: {
      type: "th_conv2d_params",
      fields: {
        ...params(view),
        in_zero: zeroPointOf(inputOf(view, 0)),
        out_zero: zeroPointOf(outputOf(view, 0)),
        min: range.min,
        max: range.max,
        multiplier_step: multiplierStep(multipliers),
      },
    },
    args: [...tensorArgs(view), ...multiplierArgs(multipliers), { kind: "output", index: 0 } as const],
    scratchBytes: 0,
  };
}

const quantized = (
  suffix: string,
  input: "int8" | "int16",
  weights: "int8" | "int4",
  bias: "int32" | "int64",
): Kernel<Conv2dAttrs> => ({
  name: `portable ${suffix}`,
  types: { inputs: [input, weights, bias], outputs: [input] },
  matches: (view) => bias === "int32" || optionalInput(view, 2)?.dtype !== "int32",
  call: (view) => quantizedCall(view, suffix),
});

const kernels: readonly Kernel<Conv2dAttrs>[] = [
  quantized("s8", "int8", "int8", "int32"),
  quantized("s8_w4", "int8", "int4", "int32"),
  quantized("s16", "int16", "int8", "int64"),
  quantized("s16_b32", "int16", "int8", "int32"),
  {
    name: "portable f32",
    types: { inputs: ["float32", "float32", "float32"], outputs: ["float32"] },
    call: (view) => {
      const range = floatActivationRange(view.attrs.activation);
      return {
        source: "ops/conv2d/conv2d_f32.h",
        symbol: "th_conv2d_f32",
        params: {
          type: "th_conv2d_f32_params",
          fields: { ...params(view), min: { float: range.min }, max: { float: range.max } },
        },
        args: [...tensorArgs(view), { kind: "output", index: 0 }],
        scratchBytes: 0,
      };
    },
  },
];

const attrs: Conv2dAttrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], activation: "NONE" };
const channelQuant = (n: number, scale: number): Quantization => ({
  scales: Array.from({ length: n }, (_, i) => Math.fround(scale * (1 + i / 7))),
  zeroPoints: new Array<number>(n).fill(0),
  axis: 0,
});

function int8Sample(name: string, input: readonly number[], filter: readonly number[], a: Conv2dAttrs, inZero = -5): Sample<Conv2dAttrs> {
  const out = filter[0] ?? 1;
  return {
    name,
    attrs: a,
    inputs: [
      { shape: input, dtype: "int8", quant: perTensor(0.05, inZero) },
      { shape: filter, dtype: "int8", quant: channelQuant(out, 0.01), constant: "random", range: [-127, 127] },
      { shape: [out], dtype: "int32", constant: "random", range: [-2000, 2000] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.09, 3) }],
  };
}

const samples: readonly Sample<Conv2dAttrs>[] = [
  int8Sample("1x1", [1, 4, 5, 8], [6, 1, 1, 8], attrs),
  int8Sample("3x3 same stride 2", [1, 7, 6, 3], [4, 3, 3, 3], { ...attrs, stride: [2, 2], activation: "RELU6" }),
  int8Sample("valid, dilation, batch 2", [2, 9, 8, 2], [3, 3, 2, 2], { ...attrs, padding: "VALID", dilation: [2, 3] }, 127),
  int8Sample("groups", [1, 5, 5, 8], [6, 3, 3, 4], { ...attrs, activation: "RELU" }, -128),
  int8Sample("explicit padding", [1, 5, 6, 3], [4, 3, 3, 3], { ...attrs, padding: [0, 2, 1, 1], stride: [2, 1] }),
  {
    name: "per-tensor, no bias",
    attrs,
    inputs: [
      { shape: [1, 3, 3, 4], dtype: "int8", quant: perTensor(0.05, 0) },
      { shape: [4, 2, 2, 4], dtype: "int8", quant: perTensor(0.02), constant: "random" },
      null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.2, -1) }],
  },
  {
    name: "int4 weights",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [1, 5, 4, 3], dtype: "int8", quant: perTensor(0.05, 7) },
      { shape: [5, 3, 3, 3], dtype: "int4", quant: channelQuant(5, 0.1), constant: "random", range: [-7, 7] },
      { shape: [5], dtype: "int32", constant: "random", range: [-500, 500] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.11, -20) }],
  },
  ...(["int64", "int32"] as const).map(
    (bias): Sample<Conv2dAttrs> => ({
      name: `16x8, ${bias} bias`,
      attrs: { ...attrs, stride: [2, 1] },
      inputs: [
        { shape: [1, 6, 4, 5], dtype: "int16", quant: perTensor(0.0003) },
        { shape: [4, 3, 3, 5], dtype: "int8", quant: channelQuant(4, 0.01), constant: "random" },
        { shape: [4], dtype: bias, constant: "random", range: [-100000, 100000] },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.0006) }],
    }),
  ),
  {
    name: "float",
    attrs: { ...attrs, stride: [2, 2], activation: "RELU_N1_TO_1" },
    inputs: [
      { shape: [1, 6, 5, 4], dtype: "float32" },
      { shape: [6, 3, 3, 2], dtype: "float32", constant: "random" },
      { shape: [6], dtype: "float32", constant: "random" },
    ],
    outputs: [{ dtype: "float32" }],
  },
];

export const conv2d = defineOp<"CONV_2D", Conv2dAttrs>({
  name: "CONV_2D",
  summary: "2-D convolution, NHWC, OHWI filter; groups, dilation",
  arity: { inputs: [2, 3], outputs: [1, 1] },
  optionalInputs: [2],
  traits: {
    ...noTraits,
    takesPadding: true,
    rows: (view) => ({
      stride: view.attrs.stride[0],
      extent: (sizeAt(inputOf(view, 1).shape, 1) - 1) * view.attrs.dilation[0] + 1,
      padBefore: conv2dGeometry(view).padTop,
    }),
  },
  tflite: {
    builtin: 3,
    maxVersion: 8,
    options: {
      tag: 1,
      fields: [int8("padding"), int32("strideW"), int32("strideH"), int8("activation"), int32("dilationW", 1), int32("dilationH", 1)],
    },
    decode: (v, report) => ({
      padding: decodePadding(v["padding"], report),
      stride: [Number(v["strideH"]), Number(v["strideW"])],
      dilation: [Number(v["dilationH"]), Number(v["dilationW"])],
      activation: decodeActivation(v["activation"], report),
    }),
    encode: (a) => ({
      padding: encodePadding(a.padding),
      strideH: a.stride[0],
      strideW: a.stride[1],
      activation: encodeActivation(a.activation),
      dilationH: a.dilation[0],
      dilationW: a.dilation[1],
    }),
  },
  infer: (view, report) => {
    const [input, filter, bias] = [inputOf(view, 0), inputOf(view, 1), optionalInput(view, 2)];
    const { stride, dilation } = view.attrs;
    if (!checkRank(input, [4], report) || !checkRank(filter, [4], report)) return null;
    if (!checkConstant(view, 1, report)) return null;
    if (!checkOption([...stride, ...dilation].every((n) => n > 0), "stride and dilation", `${stride}, ${dilation}`, "at least 1", report)) return null;
    const g = conv2dGeometry(view);
    const grouped = g.filterChannels > 0 && g.channels % g.filterChannels === 0 && g.outChannels % (g.channels / g.filterChannels) === 0;
    if (!checkShape(filter, grouped, `input channels (${g.channels}) a multiple of the filter's, and as many groups in its outputs`, report)) return null;
    if (bias && !checkShape(bias, bias.shape.length === 1 && bias.shape[0] === g.outChannels, `[${g.outChannels}]`, report)) return null;
    if (!checkShape(input, g.outHeight > 0 && g.outWidth > 0, "at least as large as the kernel", report)) return null;
    checkPerTensor(input, report);
    checkWeightQuantization(view, { input: 0, weights: 1, bias: 2 }, 0, report);
    return [{ shape: [g.batch, g.outHeight, g.outWidth, g.outChannels], dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference: conv2dReference,
  gradient: "none",
  cost: (view) => {
    const g = conv2dGeometry(view);
    const outputs = g.batch * g.outHeight * g.outWidth * g.outChannels;
    return { macs: outputs * g.kernel[0] * g.kernel[1] * g.filterChannels, operations: outputs };
  },
  kernels,
  samples,
});
