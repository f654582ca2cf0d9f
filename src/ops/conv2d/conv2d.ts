import { channelCount } from "../channels.js";
import { decodeActivation, encodeActivation } from "../common/activation.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { convGradients, gradientAttrs } from "../common/conv-gradients.js";
import { biasTypeOption, int8, int32 } from "../common/options.js";
import { decodePadding, encodePadding } from "../common/padding.js";
import { checkWeightQuantization } from "../common/requantize.js";
import { inputOf, optionalInput, outputOf } from "../common/view.js";
import { dataWindow, weightedKernels } from "../common/weighted.js";
import { mixingRule, weightedRanges } from "../common/weighted-channels.js";
import { defineOp, noTraits, slidingRows } from "../spec.js";
import { armv6mKernels } from "./armv6m.js";
import { dspKernels } from "./dsp.js";
import { type Conv2dAttrs, conv2dGeometry, conv2dProducts, conv2dWindow, weightedConv2d } from "./geometry.js";
import { heliumKernels } from "./helium.js";
import { conv2dReference } from "./reference.js";
import { conv2dSamples } from "./samples.js";

export const conv2d = defineOp<"CONV_2D", Conv2dAttrs>({
  name: "CONV_2D",
  summary: "2-D convolution, NHWC, OHWI filter; groups, dilation",
  arity: { inputs: [2, 3], outputs: [1, 1] },
  optionalInputs: [2],
  traits: {
    ...noTraits,
    sums: { input: 0, weights: 1, bias: 2, channelAxis: 0 },
    takesPadding: true,
    parameters: [1, 2],
    window: conv2dWindow,
    rows: (view) => {
      const { kernel, padTop } = conv2dGeometry(view);
      const { stride, dilation } = view.attrs;
      return dataWindow(weightedConv2d, view, slidingRows(stride[0], kernel[0], padTop, dilation[0]));
    },
  },
  tflite: {
    builtin: 3,
    maxVersion: 8,
    options: {
      tag: 1,
      fields: [
        int8("padding"),
        int32("strideW"),
        int32("strideH"),
        int8("activation"),
        int32("dilationW", 1),
        int32("dilationH", 1),
        int8("quantizedBiasType"),
      ],
    },
    leavesOffInputs: true,
    decode: (v, report) => ({
      padding: decodePadding(v["padding"], report),
      stride: [Number(v["strideH"]), Number(v["strideW"])],
      dilation: [Number(v["dilationH"]), Number(v["dilationW"])],
      activation: decodeActivation(v["activation"], report),
    }),
    encode: (a, view) => ({
      padding: encodePadding(a.padding),
      strideH: a.stride[0],
      strideW: a.stride[1],
      activation: encodeActivation(a.activation),
      dilationH: a.dilation[0],
      dilationW: a.dilation[1],
      quantizedBiasType: biasTypeOption(inputOf(view, 0), optionalInput(view, 2)),
    }),
  },
  infer: (view, report) => {
    const [input, filter, bias] = [inputOf(view, 0), inputOf(view, 1), optionalInput(view, 2)];
    const { stride, dilation } = view.attrs;
    if (!checkRank(input, [4], report) || !checkRank(filter, [4], report)) return null;
    if (!checkConstant(view, 1, report)) return null;
    if (
      !checkOption(
        [...stride, ...dilation].every((n) => n > 0),
        "stride and dilation",
        `${stride}, ${dilation}`,
        "at least 1",
        report,
      )
    )
      return null;
    const g = conv2dGeometry(view);
    const grouped =
      g.filterChannels > 0 &&
      g.channels % g.filterChannels === 0 &&
      g.outChannels % (g.channels / g.filterChannels) === 0;
    if (
      !checkShape(
        filter,
        grouped,
        `input channels (${g.channels}) a multiple of the filter's, and as many groups in its outputs`,
        report,
      )
    )
      return null;
    if (
      bias &&
      !checkShape(bias, bias.shape.length === 1 && bias.shape[0] === g.outChannels, `[${g.outChannels}]`, report)
    )
      return null;
    if (!checkShape(input, g.outHeight > 0 && g.outWidth > 0, "at least as large as the kernel", report)) return null;
    checkPerTensor(input, report);
    checkWeightQuantization(view, weightedConv2d.index, 0, report);
    return [
      {
        shape: [g.batch, g.outHeight, g.outWidth, g.outChannels],
        dtype: input.dtype,
        quant: input.dtype === "float32" ? null : "free",
      },
    ];
  },
  reference: conv2dReference,
  gradient: (view, upstream, e) => {
    const at = { x: inputOf(view, 0), w: inputOf(view, 1), bias: optionalInput(view, 2), y: outputOf(view, 0) };
    const attrs = gradientAttrs(conv2dWindow(view), "OHWI");
    return convGradients(e, attrs, view.attrs.activation, at, upstream).slice(0, view.inputs.length);
  },
  ranges: (view, inputs) => weightedRanges(weightedConv2d, view, conv2dProducts(view), inputs[0] ?? null),
  channels: (view) => {
    const products = conv2dProducts(view);
    const isGrouped = products.depth !== channelCount(inputOf(view, 0));
    return isGrouped ? null : mixingRule(weightedConv2d, view, products, { output: 0, input: 3 });
  },
  cost: (view) => {
    const g = conv2dGeometry(view);
    const outputs = g.batch * g.outHeight * g.outWidth * g.outChannels;
    return { macs: outputs * g.kernel[0] * g.kernel[1] * g.filterChannels, operations: outputs };
  },
  kernels: [
    ...heliumKernels,
    ...dspKernels,
    ...armv6mKernels,
    ...weightedKernels(weightedConv2d, ["s8", "s8_w4", "s16", "s16_b32", "f32"]),
  ],
  samples: conv2dSamples,
});
