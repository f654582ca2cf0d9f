import { elementsOf } from "../../../base/dtype.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { Activation } from "../../../ops/common/activation.js";
import type { ConvGradientAttrs } from "../../../ops/common/conv-gradients.js";
import type { Padding } from "../../../ops/common/padding.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import type { OpName } from "../../../ops/index.js";
import { blockedDomain, type ExportContext, type Lower } from "./context.js";
import { type ConvShape, convShape, fullPadding, isDepthwise, rotated, weightsShapeOf } from "./conv-gradients.js";
import { plainLowerings } from "./export.js";
import { blocked, nchw, nhwc } from "./layouts.js";
import { isGlobalMean } from "./spatial.js";
import { normalizationFactors } from "./training.js";
import { windowAttributes, windowOf } from "./windows.js";

/*
 * Lowerings to ONNX Runtime's own blocked operators (domain com.microsoft.nchwc): an image [n, c, h, w] lies as
 * [n, c / block, h, w, block]. Where channels are no multiples of a block, the plain forms take over.
 */

const axes = [0, 1] as const;

/** True if all numbers are multiples of a block. */
const fits = (c: ExportContext, ...sizes: readonly number[]): boolean => sizes.every((n) => n > 0 && n % c.block === 0);

const conv = (c: ExportContext, inputs: readonly string[], attributes: Parameters<ExportContext["op"]>[2]): string =>
  c.op("Conv", inputs, attributes, blockedDomain);

const transposed = (
  c: ExportContext,
  value: string,
  shape: readonly number[],
  perm: readonly number[],
  result: readonly number[],
): string => c.reshape(c.op("Transpose", [c.reshape(value, shape)], { perm }), result);

/** A filter OIHW as [o / b, i / b, h, w, b of i, b of o]; of few input channels as [o / b, i, h, w, b of o]. */
function blockedFilter(
  c: ExportContext,
  filter: string,
  [o, i, h, w]: readonly [number, number, number, number],
): string {
  const b = c.block;
  if (i < b) return transposed(c, filter, [o / b, b, i, h, w], [0, 2, 3, 4, 1], [o, i, h, w]);
  return transposed(c, filter, [o / b, b, i / b, b, h, w], [0, 2, 4, 5, 3, 1], [o, i, h, w]);
}

/** A depthwise filter 1HWO: an image of one row of blocks. */
const depthwiseFilter = (c: ExportContext, w: Tensor): string => {
  const [, h = 1, width = 1, o = 1] = w.shape;
  return c.reshape(c.take(w, blocked), [o, 1, h, width]);
};

const plain =
  (op: OpName): Lower =>
  (c, view) =>
    plainLowerings[op]?.(c, view);

interface ConvAttrs {
  readonly padding: Padding;
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly activation: Activation;
}

const convolution: Lower = (c, view) => {
  const attrs = view.attrs as ConvAttrs;
  const [x, w, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const [channels = 1, out = 1] = [x.shape[3], w.shape[0]];
  const [, kh = 1, kw = 1, depth = 1] = w.shape;
  const usable = depth === channels && fits(c, out) && (channels < c.block || fits(c, channels));
  if (!usable || (attrs.activation !== "NONE" && attrs.activation !== "RELU")) return plain("CONV_2D")(c, view);
  const window = windowAttributes(windowOf(x.shape, [kh, kw], attrs));
  const filter = blockedFilter(c, c.take(w, nchw), [out, channels, kh, kw]);
  const bias = view.inputs[2] ? [c.take(view.inputs[2], "0")] : [];
  const activation = attrs.activation === "RELU" ? { activation: "Relu" } : {};
  const data = c.take(x, channels < c.block ? nchw : blocked);
  c.give(y, blocked, conv(c, [data, filter, ...bias], { ...window, group: 1, ...activation }));
};

const depthwise: Lower = (c, view) => {
  const attrs = view.attrs as ConvAttrs;
  const [x, w, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const [channels = 1, out = 1] = [x.shape[3], w.shape[3]];
  if (channels !== out || !fits(c, out) || (attrs.activation !== "NONE" && attrs.activation !== "RELU"))
    return plain("DEPTHWISE_CONV_2D")(c, view);
  const window = windowAttributes(windowOf(x.shape, [w.shape[1] ?? 1, w.shape[2] ?? 1], attrs));
  const bias = view.inputs[2] ? [c.take(view.inputs[2], "0")] : [];
  const activation = attrs.activation === "RELU" ? { activation: "Relu" } : {};
  const inputs = [c.take(x, blocked), depthwiseFilter(c, w), ...bias];
  c.give(y, blocked, conv(c, inputs, { ...window, group: channels, ...activation }));
};

/** Zeros behind every row and column but those that there are: [n, c, h, w] to [n, c, stride h, stride w], blocked. */
function zeroStuffed(
  c: ExportContext,
  value: string,
  batch: number,
  channels: number,
  size: readonly [number, number],
  stride: readonly [number, number],
): string {
  const b = c.block;
  const apart = c.reshape(value, [(batch * channels) / b, size[0], 1, size[1], b]);
  const padded = c.op("Pad", [apart, c.indices([0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0, (stride[1] - 1) * b])]);
  return c.reshape(padded, [batch, channels, size[0] * stride[0], size[1] * stride[1]]);
}

const inputGradient: Lower = (c, view) => {
  const attrs = view.attrs as ConvGradientAttrs & { readonly inputShape: readonly number[] };
  const [dy, w, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const s = convShape(attrs, attrs.inputShape, w.shape, dy.shape);
  const single = isDepthwise(s) && s.channels === s.outChannels;
  const isStrided = attrs.stride.some((n) => n > 1);
  const isPointwise = s.taps[0] === 1 && s.taps[1] === 1 && attrs.padding.every((n) => n === 0);
  const fallback = (): void => plain("CONV_2D_INPUT_GRADIENT")(c, view);
  if (!fits(c, s.channels, s.outChannels) || attrs.dilation.some((n) => n > 1) || (!single && s.group > 1))
    return fallback();
  if (single) {
    const length = axes.map((d) => s.outSize[d] * attrs.stride[d]) as unknown as readonly [number, number];
    const pads = fullPadding(s, length);
    if (pads === null) return fallback();
    const value = c.take(dy, blocked);
    const data = isStrided ? zeroStuffed(c, value, s.batch, s.outChannels, s.outSize, attrs.stride) : value;
    const turned = rotated(c, c.take(w, nchw), s.taps);
    const filter = c.op("ReorderInput", [turned], { channels_last: 0 }, blockedDomain);
    const inputs = [data, c.reshape(filter, [s.channels, 1, ...s.taps])];
    c.give(dx, blocked, conv(c, inputs, { kernel_shape: s.taps, pads, group: s.channels }));
    return;
  }
  const filter = (): string =>
    blockedFilter(c, rotated(c, c.take(w, "3012"), s.taps), [s.channels, s.outChannels, ...s.taps]);
  if (isStrided) {
    // A filter of one tap commutes with the zeros between; of others the transposed convolution is faster.
    const fitsWhole = axes.every((d) => s.outSize[d] * attrs.stride[d] === s.size[d]);
    if (!isPointwise || !fitsWhole) return fallback();
    const small = conv(c, [c.take(dy, blocked), filter()], { kernel_shape: [1, 1], group: 1 });
    c.give(dx, blocked, zeroStuffed(c, small, s.batch, s.channels, s.outSize, attrs.stride));
    return;
  }
  const pads = fullPadding(s, s.outSize);
  if (pads === null) return fallback();
  c.give(dx, blocked, conv(c, [c.take(dy, blocked), filter()], { kernel_shape: s.taps, pads, group: 1 }));
};

/** A blocked image as NCHW. */
const unblocked = (c: ExportContext, value: string, shape: readonly [number, number, number, number]): string =>
  c.op("ReorderOutput", [c.reshape(value, shape)], { channels: shape[1], channels_last: 0 }, blockedDomain);

/** dw by a convolution over images as channels: x as [c, n, h, w], filtered by dy as [o, n, h, w]. */
function weightsByImages(c: ExportContext, s: ConvShape, x: Tensor, dy: Tensor): string {
  const b = c.block;
  const [top, bottom, left, right] = s.attrs.padding;
  const [h, w] = [s.size[0] + top + bottom, s.size[1] + left + right];
  const images = s.batch / b;
  const pad = (value: string, spatial: number, rank: number): string => {
    if (top + bottom + left + right === 0) return value;
    const amounts = (row: number, column: number): readonly number[] =>
      Array.from({ length: rank }, (_, d) => (d === spatial ? row : d === spatial + 1 ? column : 0));
    return c.op("Pad", [value, c.indices([...amounts(top, left), ...amounts(bottom, right)])]);
  };
  // The runtime's reorders are several times faster than a transpose of single elements: with images as channels, one of
  // them does most of the work, and the transpose left moves whole planes.
  const rows =
    s.channels < b
      ? pad(c.take(x, nchw), 2, 4)
      : unblocked(c, pad(c.reshape(c.take(x, blocked), [s.batch, s.channels / b, ...s.size, b]), 2, 5), [
          s.batch,
          s.channels,
          h,
          w,
        ]);
  const planes = c.op(
    "ReorderInput",
    [c.reshape(rows, [1, s.batch, s.channels, h * w])],
    { channels_last: 0 },
    blockedDomain,
  );
  const data = transposed(c, planes, [images, s.channels, h * w * b], [1, 0, 2], [s.channels, s.batch, h, w]);
  const [oh, ow] = s.outSize;
  const filter = transposed(
    c,
    c.take(dy, blocked),
    [images, b, s.outChannels / b, oh, ow, b],
    [2, 0, 3, 4, 1, 5],
    [s.outChannels, s.batch, oh, ow],
  );
  const { stride, dilation } = s.attrs;
  const result = conv(c, [data, filter], { kernel_shape: s.outSize, strides: dilation, dilations: stride, group: 1 });
  const plainResult = c.op("ReorderOutput", [result], { channels: s.outChannels, channels_last: 0 }, blockedDomain);
  const found = axes.map((d) => Math.floor(((d === 0 ? h : w) - (s.outSize[d] - 1) * stride[d] - 1) / dilation[d]) + 1);
  if (axes.every((d) => found[d] === s.taps[d])) return plainResult;
  return c.op("Slice", [plainResult, c.indices([0, 0]), c.indices(s.taps), c.indices([2, 3])]);
}

/** Below so many pixels an image, products of single images are mostly overhead. */
const fewPixels = 100;

const weightsGradient: Lower = (c, view) => {
  const [dy, x, dw] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const s = weightsShapeOf(view);
  const fallback = (): void => plain("CONV_2D_WEIGHTS_GRADIENT")(c, view);
  if (isDepthwise(s)) {
    const all = s.batch * s.channels;
    if (s.channels !== s.outChannels || !fits(c, all)) return fallback();
    const { padding, stride, dilation } = s.attrs;
    const reach = axes.map((d) => (s.taps[d] - 1) * dilation[d] + (s.outSize[d] - 1) * stride[d] + 1);
    const after = axes.map((d) => (reach[d] as number) - s.size[d] - (padding[2 * d] as number));
    if (after.some((n) => n < 0)) return fallback();
    // Channels of all images are as many groups, so they need fill blocks only together.
    const grouped = (t: Tensor, size: readonly [number, number]): string => {
      if (fits(c, s.channels)) return c.take(t, blocked);
      const planes = c.reshape(c.take(t, nchw), [1, all, ...size]);
      return c.op("ReorderInput", [planes], { channels_last: 0 }, blockedDomain);
    };
    const inputs = [
      c.reshape(grouped(x, s.size), [1, all, ...s.size]),
      c.reshape(grouped(dy, s.outSize), [all, 1, ...s.outSize]),
    ];
    const pads = [padding[0], padding[2], ...after];
    const each = conv(c, inputs, { kernel_shape: s.outSize, strides: dilation, dilations: stride, pads, group: all });
    const whole = fits(c, s.channels);
    const perImage = c.reshape(whole ? each : unblocked(c, each, [1, all, ...s.taps]), [
      s.batch,
      s.channels,
      ...s.taps,
    ]);
    c.give(dw, whole ? blocked : nchw, c.op("ReduceSum", [perImage, c.indices([0])], { keepdims: 1 }));
    return;
  }
  const isPointwise = s.taps[0] === 1 && s.taps[1] === 1;
  const usable = s.group === 1 && fits(c, s.batch, s.outChannels) && (s.channels < c.block || fits(c, s.channels));
  const isPlain = s.attrs.stride.every((n) => n === 1) && s.attrs.padding.every((n) => n === 0);
  if (isPointwise && s.group === 1 && isPlain && s.outSize[0] * s.outSize[1] < fewPixels) {
    // One product over the pixels of all images.
    const pixels = (t: Tensor, channels: number): string =>
      c.reshape(c.take(t, nhwc), [s.batch * s.outSize[0] * s.outSize[1], channels]);
    const product = c.op("Gemm", [pixels(dy, s.outChannels), pixels(x, s.channels)], { transA: 1 });
    c.give(dw, nhwc, c.reshape(product, [s.outChannels, 1, 1, s.channels]));
    return;
  }
  if (isPointwise || !usable) return fallback();
  c.give(dw, "3012", weightsByImages(c, s, x, dy));
};

/** Sums over each channel of the product of two blocked images: [c]. */
function channelProducts(c: ExportContext, a: string, b: string, shape: readonly number[]): string {
  const [n = 1, h = 1, w = 1, channels = 1] = shape;
  const all = n * channels;
  const inputs = [c.reshape(a, [1, all, h, w]), c.reshape(b, [all, 1, h, w])];
  const each = c.reshape(conv(c, inputs, { kernel_shape: [h, w], group: all }), [n, channels]);
  return c.op("ReduceSum", [each, c.indices([0])], { keepdims: 0 });
}

/** Means over each channel of a blocked image: [c]. */
function channelMeans(c: ExportContext, value: string, shape: readonly number[]): string {
  const [n = 1, , , channels = 1] = shape;
  const each = c.reshape(c.op("GlobalAveragePool", [value], {}, blockedDomain), [n, channels]);
  return c.op("ReduceMean", [each], { axes: [0], keepdims: 0 });
}

/** factor x + offset (+ sum), channel by channel. */
function affine(
  c: ExportContext,
  x: string,
  factor: string,
  offset: string,
  channels: number,
  sum?: string,
  relu = false,
): string {
  const filter = c.reshape(factor, [channels, 1, 1, 1]);
  const inputs = [x, filter, offset, ...(sum === undefined ? [] : [sum])];
  return conv(c, inputs, { kernel_shape: [1, 1], group: channels, ...(relu ? { activation: "Relu" } : {}) });
}

const isImage = (c: ExportContext, t: Tensor): boolean => t.shape.length === 4 && fits(c, t.shape[3] ?? 0);

/** What follows a normalization, where it can be part of it: a sum, a ReLU, or both. */
interface Tail {
  readonly added: Tensor | null;
  readonly relu: boolean;
  readonly output: Tensor;
  /** Outputs of the operators that it is made of. */
  readonly outputs: readonly Tensor[];
}

function tailOf(c: ExportContext, y: Tensor): Tail {
  let output = y;
  let added: Tensor | null = null;
  const outputs: Tensor[] = [];
  const next = (): NodeView<never> | null => {
    const readers = c.readers(output);
    return readers.length === 1 ? (readers[0] ?? null) : null;
  };
  let reader = next();
  if (reader?.op === "ADD" && (reader.attrs as { activation?: string }).activation === "NONE") {
    const other = reader.inputs.find((t) => t !== null && t.id !== output.id);
    // What is added must be there already, and as large.
    if (other && other.data === null && other.shape.join() === output.shape.join() && c.layouts(other).size > 0) {
      added = other;
      output = outputOf(reader, 0);
      outputs.push(output);
      reader = next();
    }
  }
  if (reader?.op !== "RELU") return { added, relu: false, output, outputs };
  const last = outputOf(reader, 0);
  return { added, relu: true, output: last, outputs: [...outputs, last] };
}

const batchNormalizationTraining: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  if (!isImage(c, x)) return plain("BATCH_NORMALIZATION_TRAINING")(c, view);
  const channels = x.shape[3] ?? 1;
  const count = elementsOf(x.shape) / channels;
  const [gamma, beta] = [c.take(inputOf(view, 1), "0"), c.take(inputOf(view, 2), "0")];
  const value = c.take(x, blocked);
  const mean = channelMeans(c, value, x.shape);
  const squares = c.op("Mul", [channelProducts(c, value, value, x.shape), c.floats([], [1 / count])]);
  const variance = c.op("Sub", [squares, c.op("Mul", [mean, mean])]);
  const deviation = c.op("Sqrt", [c.op("Add", [variance, c.floats([], [epsilon])])]);
  const factor = c.op("Div", [gamma, deviation]);
  const offset = c.op("Sub", [beta, c.op("Mul", [mean, factor])]);
  const tail = tailOf(c, y);
  for (const t of tail.outputs) c.absorbed.add(t.id);
  const sum = tail.added === null ? undefined : c.take(tail.added, blocked);
  c.give(tail.output, blocked, affine(c, value, factor, offset, channels, sum, tail.relu));
  c.give(outputOf(view, 1), "0", mean);
  c.give(outputOf(view, 2), "0", variance);
};

const batchNormalizationGradient: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [dy, x] = [inputOf(view, 0), inputOf(view, 1)];
  if (!isImage(c, x)) return plain("BATCH_NORMALIZATION_GRADIENT")(c, view);
  const channels = x.shape[3] ?? 1;
  const count = elementsOf(x.shape) / channels;
  const [gamma = "", mean = "", variance = ""] = [2, 3, 4].map((i) => c.take(inputOf(view, i), "0"));
  const [upstream, data] = [c.take(dy, blocked), c.take(x, blocked)];
  const sum = c.op("Mul", [channelMeans(c, upstream, x.shape), c.floats([], [count])]);
  const sumX = channelProducts(c, data, upstream, x.shape);
  const { dGamma, a, b, offset } = normalizationFactors(c, { gamma, mean, variance, sum, sumX, epsilon, count });
  const zeros = c.floats([channels], new Array<number>(channels).fill(0));
  const rest = affine(c, data, b, offset, channels);
  c.give(outputOf(view, 0), blocked, affine(c, upstream, a, zeros, channels, rest));
  c.give(outputOf(view, 1), "0", dGamma);
  c.give(outputOf(view, 2), "0", sum);
};

const mean: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  if (!isGlobalMean(view) || !isImage(c, x)) return plain("MEAN")(c, view);
  // One pixel of blocks is one of channels.
  const pooled = c.op("GlobalAveragePool", [c.take(x, blocked)], {}, blockedDomain);
  if (y.shape.length === 4) c.give(y, nchw, pooled);
  else c.give(y, "01", c.reshape(pooled, y.shape));
};

const averagePool: Lower = (c, view) => {
  const { kernel, padding, activation } = view.attrs as ConvAttrs & { readonly kernel: readonly [number, number] };
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const covers = kernel[0] === x.shape[1] && kernel[1] === x.shape[2] && padding === "VALID" && activation === "NONE";
  if (!covers || !isImage(c, x)) return plain("AVERAGE_POOL_2D")(c, view);
  c.give(y, nchw, c.op("GlobalAveragePool", [c.take(x, blocked)], {}, blockedDomain));
};

/** A value for each channel of each image, repeated over its pixels. */
function spread(c: ExportContext, value: string, shape: readonly number[]): string {
  const [n = 1, h = 1, w = 1, channels = 1] = shape;
  const b = c.block;
  const blocks = c.reshape(value, [n, channels / b, 1, b]);
  return c.reshape(c.op("Expand", [blocks, c.indices([n, channels / b, h * w, b])]), [n, channels, h, w]);
}

const broadcast: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const [n, h, w, channels] = x.shape;
  const perChannel = x.shape.length === 4 && h === 1 && w === 1 && n === y.shape[0] && channels === y.shape[3];
  if (!perChannel || !isImage(c, y)) return plain("BROADCAST_TO")(c, view);
  c.give(y, blocked, spread(c, c.take(x, nchw), y.shape));
};

/** Blocked forms where there are such, plain ones elsewhere. */
export const blockedLowerings = {
  ...plainLowerings,
  CONV_2D: convolution,
  DEPTHWISE_CONV_2D: depthwise,
  CONV_2D_INPUT_GRADIENT: inputGradient,
  CONV_2D_WEIGHTS_GRADIENT: weightsGradient,
  BATCH_NORMALIZATION_TRAINING: batchNormalizationTraining,
  BATCH_NORMALIZATION_GRADIENT: batchNormalizationGradient,
  MEAN: mean,
  AVERAGE_POOL_2D: averagePool,
  BROADCAST_TO: broadcast,
} as const;
