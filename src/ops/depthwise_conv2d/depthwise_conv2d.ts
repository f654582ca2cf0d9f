import { perTensor } from "../../ir/graph.js";
import { decodeActivation, encodeActivation } from "../common/activation.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { convGradients, gradientAttrs } from "../common/conv-gradients.js";
import { int8, int32 } from "../common/options.js";
import { decodePadding, encodePadding } from "../common/padding.js";
import { checkWeightQuantization } from "../common/requantize.js";
import { inputOf, optionalInput, outputOf } from "../common/view.js";
import { dataWindow, sampleChannels, weightedKernels } from "../common/weighted.js";
import { depthwiseRule, weightedRanges } from "../common/weighted-channels.js";
import { defineOp, noTraits, type Sample, slidingRows } from "../spec.js";
import { depthwiseArmv6m } from "./armv6m.js";
import { depthwiseDsp } from "./dsp.js";
import {
  type DepthwiseConv2dAttrs,
  depthwise,
  depthwiseGeometry,
  depthwiseProducts,
  depthwiseWindow,
} from "./geometry.js";
import { depthwiseHelium } from "./helium.js";
import { depthwiseConv2dReference } from "./reference.js";

const attrs: DepthwiseConv2dAttrs = {
  padding: "SAME",
  stride: [1, 1],
  dilation: [1, 1],
  depthMultiplier: 1,
  activation: "NONE",
};

type Size = readonly [number, number, number, number];

function int8Sample(
  name: string,
  input: Size,
  filter: Size,
  a: DepthwiseConv2dAttrs,
  inZero = -5,
): Sample<DepthwiseConv2dAttrs> {
  return {
    name,
    attrs: { ...a, depthMultiplier: filter[3] / input[3] },
    inputs: [
      { shape: input, dtype: "int8", quant: perTensor(0.05, inZero) },
      {
        shape: filter,
        dtype: "int8",
        quant: sampleChannels(filter[3], 0.02, 3),
        constant: "random",
        range: [-127, 127],
      },
      { shape: [filter[3]], dtype: "int32", constant: "random", range: [-1000, 1000] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.07, 3) }],
  };
}

const samples: readonly Sample<DepthwiseConv2dAttrs>[] = [
  int8Sample("3x3 same", [1, 6, 5, 5], [1, 3, 3, 5], { ...attrs, activation: "RELU6" }),
  int8Sample("stride 2, multiplier 3", [2, 7, 6, 2], [1, 3, 2, 6], { ...attrs, stride: [2, 2] }, 127),
  int8Sample("one channel, multiplier 8", [1, 9, 7, 1], [1, 5, 4, 8], { ...attrs, stride: [2, 2], activation: "RELU" }),
  int8Sample("valid, dilation", [1, 8, 9, 3], [1, 3, 3, 3], { ...attrs, padding: "VALID", dilation: [2, 3] }, -128),
  int8Sample("explicit padding", [1, 5, 6, 4], [1, 3, 3, 4], { ...attrs, padding: [0, 2, 1, 1], stride: [2, 1] }),
  {
    name: "int4 weights, per tensor, no bias",
    attrs,
    inputs: [
      { shape: [1, 5, 4, 3], dtype: "int8", quant: perTensor(0.05, 7) },
      { shape: [1, 3, 3, 3], dtype: "int4", quant: perTensor(0.1), constant: "random", range: [-7, 7] },
      null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.11, -20) }],
  },
  ...(["int64", "int32"] as const).map(
    (bias): Sample<DepthwiseConv2dAttrs> => ({
      name: `16x8, ${bias} bias`,
      attrs: { ...attrs, stride: [1, 2], depthMultiplier: 2 },
      inputs: [
        { shape: [1, 6, 5, 3], dtype: "int16", quant: perTensor(0.0003) },
        { shape: [1, 3, 3, 6], dtype: "int8", quant: sampleChannels(6, 0.01, 3), constant: "random" },
        { shape: [6], dtype: bias, constant: "random", range: [-100000, 100000] },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.0004) }],
    }),
  ),
  {
    name: "float",
    attrs: { ...attrs, stride: [2, 1], activation: "RELU_N1_TO_1", depthMultiplier: 2 },
    inputs: [
      { shape: [1, 6, 5, 4], dtype: "float32" },
      { shape: [1, 3, 3, 8], dtype: "float32", constant: "random" },
      { shape: [8], dtype: "float32", constant: "random" },
    ],
    outputs: [{ dtype: "float32" }],
  },
];

export const depthwiseConv2d = defineOp<"DEPTHWISE_CONV_2D", DepthwiseConv2dAttrs>({
  name: "DEPTHWISE_CONV_2D",
  summary: "Depthwise 2-D convolution, NHWC; channel multiplier, dilation",
  arity: { inputs: [2, 3], outputs: [1, 1] },
  optionalInputs: [2],
  traits: {
    ...noTraits,
    sums: { input: 0, weights: 1, bias: 2, channelAxis: 3 },
    takesPadding: true,
    parameters: [1, 2],
    window: depthwiseWindow,
    rows: (view) => {
      const { kernel, padTop } = depthwiseGeometry(view);
      const { stride, dilation } = view.attrs;
      return dataWindow(depthwise, view, slidingRows(stride[0], kernel[0], padTop, dilation[0]));
    },
  },
  tflite: {
    builtin: 4,
    maxVersion: 7,
    options: {
      tag: 2,
      fields: [
        int8("padding"),
        int32("strideW"),
        int32("strideH"),
        int32("depthMultiplier"),
        int8("activation"),
        int32("dilationW", 1),
        int32("dilationH", 1),
      ],
    },
    leavesOffInputs: true,
    decode: (v, report) => ({
      padding: decodePadding(v.padding, report),
      stride: [Number(v.strideH), Number(v.strideW)],
      dilation: [Number(v.dilationH), Number(v.dilationW)],
      depthMultiplier: Number(v.depthMultiplier),
      activation: decodeActivation(v.activation, report),
    }),
    encode: (a) => ({
      padding: encodePadding(a.padding),
      strideH: a.stride[0],
      strideW: a.stride[1],
      depthMultiplier: a.depthMultiplier,
      activation: encodeActivation(a.activation),
      dilationH: a.dilation[0],
      dilationW: a.dilation[1],
    }),
  },
  infer: (view, report) => {
    const [input, filter, bias] = [inputOf(view, 0), inputOf(view, 1), optionalInput(view, 2)];
    const steps = [...view.attrs.stride, ...view.attrs.dilation];
    if (!checkRank(input, [4], report) || !checkRank(filter, [4], report)) return null;
    if (!checkConstant(view, 1, report)) return null;
    if (
      !checkOption(
        steps.every((n) => Number.isInteger(n) && n > 0),
        "stride and dilation",
        steps,
        "at least 1",
        report,
      )
    )
      return null;
    const { padding } = view.attrs;
    const counted = typeof padding === "string" || padding.every((n) => Number.isInteger(n) && n >= 0);
    if (!checkOption(counted, "padding", padding, "at least 0", report)) return null;
    const g = depthwiseGeometry(view);
    const whole = filter.shape[0] === 1 && g.channels > 0 && Number.isInteger(g.multiplier) && g.multiplier > 0;
    if (!checkShape(filter, whole, `[1, height, width, a multiple of ${g.channels}]`, report)) return null;
    if (
      bias &&
      !checkShape(bias, bias.shape.length === 1 && bias.shape[0] === g.outChannels, `[${g.outChannels}]`, report)
    )
      return null;
    if (!checkShape(input, g.outHeight > 0 && g.outWidth > 0, "at least as large as the kernel", report)) return null;
    checkPerTensor(input, report);
    checkPerTensor(outputOf(view, 0), report);
    checkWeightQuantization(view, depthwise.index, 3, report);
    const shape = [g.batch, g.outHeight, g.outWidth, g.outChannels];
    return [{ shape, dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference: depthwiseConv2dReference,
  gradient: (view, upstream, e) => {
    const at = { x: inputOf(view, 0), w: inputOf(view, 1), bias: optionalInput(view, 2), y: outputOf(view, 0) };
    const attrs = gradientAttrs(depthwiseWindow(view), "1HWO");
    return convGradients(e, attrs, view.attrs.activation, at, upstream).slice(0, view.inputs.length);
  },
  ranges: (view, inputs) => weightedRanges(depthwise, view, depthwiseProducts(view), inputs[0] ?? null),
  channels: (view) => depthwiseRule(depthwise, view, depthwiseGeometry(view).multiplier, 3),
  cost: (view) => {
    const g = depthwiseGeometry(view);
    const outputs = g.batch * g.outHeight * g.outWidth * g.outChannels;
    return { macs: outputs * g.kernel[0] * g.kernel[1], operations: outputs };
  },
  kernels: [
    ...depthwiseHelium,
    ...depthwiseDsp,
    ...depthwiseArmv6m,
    ...weightedKernels(depthwise, ["s8", "s8_w4", "s16", "s16_b32", "f32"]),
  ],
  samples,
});
