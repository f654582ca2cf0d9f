import { elementsOf } from "../../../base/dtype.js";
import type { Quantization, Tensor } from "../../../ir/graph.js";
import { binary, countTo, noActivation } from "./arithmetic.js";
import type { GraphBuilder } from "./builder.js";
import { float, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";
import { quantizeConstant } from "./quantization.js";
import { type Window, windowsOf } from "./windows.js";

/** The order of axes that puts channels last, and its inverse. */
export const channelsLast = (rank: number): readonly number[] => [0, ...countTo(rank).slice(2), 1];
export const channelsFirst = (rank: number): readonly number[] => [0, rank - 1, ...countTo(rank - 1).slice(1)];

/** A tensor [batch, channels, ...] as [batch, ..., channels], and back. */
export const toLast = (b: GraphBuilder, x: Tensor): Tensor => b.transpose(x, channelsLast(x.shape.length));
export const toFirst = (b: GraphBuilder, x: Tensor): Tensor => b.transpose(x, channelsFirst(x.shape.length));

/** A convolution with channels last: data [batch, ..., channels], weights [outputs, ..., channels of a group]. */
export interface Convolution {
  readonly x: Tensor;
  readonly weights: Tensor;
  readonly bias: Tensor | null;
  readonly windows: readonly Window[];
  readonly groups: number;
  readonly quant: Quantization | null;
}

/** A bias in the scale of the products, where these are integers: a real constant is quantized. */
export function biasOf(b: GraphBuilder, bias: Tensor | null, x: Tensor, weights: Tensor): Tensor | null {
  if (bias === null || x.quant === null || weights.quant === null) return bias;
  const scales = weights.quant.scales.map((s) => Math.fround(s * (x.quant?.scales[0] ?? 1)));
  const quant = { scales, zeroPoints: scales.map(() => 0), axis: 0 };
  const isWide = x.dtype === "int16";
  if (bias.dtype !== "float32") return isWide ? b.giveUp() : b.update(bias, { quant });
  return isWide ? b.giveUp() : quantizeConstant(b, bias, { quant, dtype: "int32", isUnsigned: false });
}

/** A convolution of images. Depthwise ones are ours if every group is one channel. */
function convolve2d(b: GraphBuilder, { x, weights, bias, windows, groups, quant }: Convolution): Tensor {
  const [rows, columns] = windows as readonly [Window, Window];
  const window = {
    padding: [rows.before, rows.after, columns.before, columns.after] as const,
    stride: [rows.stride, columns.stride] as const,
    dilation: [rows.dilation, columns.dilation] as const,
    ...noActivation,
  };
  const channels = x.shape[3] ?? 1;
  const inputs = (w: Tensor): readonly (Tensor | null)[] => [x, w, ...(bias ? [bias] : [])];
  if (groups === 1 || groups !== channels || weights.data === null)
    return b.emit("CONV_2D", inputs(weights), window, { quant });
  // [outputs, height, width, 1] to [1, height, width, outputs].
  const depthwise = b.transpose(weights, [3, 1, 2, 0]);
  const depthMultiplier = (weights.shape[0] ?? 1) / channels;
  return b.emit("DEPTHWISE_CONV_2D", inputs(depthwise), { ...window, depthMultiplier }, { quant });
}

/** A convolution over volumes: for each depth of the kernel one of all images that it meets, added up. */
function convolve3d(b: GraphBuilder, c: Convolution): Tensor {
  const [depth, ...rest] = c.windows as readonly [Window, Window, Window];
  if (c.quant !== null) b.giveUp();
  const paddings = [0, 0, depth.before, depth.after, 0, 0, 0, 0, 0, 0];
  const x = depth.before + depth.after === 0 ? c.x : b.emit("PAD", [c.x, b.constant("int32", [5, 2], paddings)]);
  const [batch = 1, size = 1, height = 1, width = 1, channels = 1] = x.shape;
  const count = Math.floor((size - (depth.kernel - 1) * depth.dilation - 1) / depth.stride) + 1;
  const [outputs = 1, , kh = 1, kw = 1, kc = 1] = c.weights.shape;
  const sums = countTo(depth.kernel).map((k) => {
    const begin = k * depth.dilation;
    const slices = b.sliceAxis(x, 1, begin, begin + (count - 1) * depth.stride + 1, depth.stride);
    return convolve2d(b, {
      ...c,
      x: b.reshape(slices, [batch * count, height, width, channels]),
      weights: b.reshape(b.sliceAxis(c.weights, 1, k, k + 1), [outputs, kh, kw, kc]),
      bias: k === 0 ? c.bias : null,
      windows: rest,
    });
  });
  const [first, ...more] = sums as [Tensor, ...Tensor[]];
  const sum = more.reduce((total, t) => binary(b, "ADD", total, t), first);
  return b.reshape(sum, [batch, count, ...sum.shape.slice(1)]);
}

/** A convolution with channels last over one to three axes. Of a sequence, steps are rows. */
export function convolve(b: GraphBuilder, c: Convolution): Tensor {
  const still: Window = { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };
  if (c.windows.length === 3) return convolve3d(b, c);
  if (c.windows.length === 2) return convolve2d(b, c);
  const [batch = 1, steps = 1, channels = 1] = c.x.shape;
  const [outputs = 1, taps = 1, depth = 1] = c.weights.shape;
  const result = convolve2d(b, {
    ...c,
    x: b.reshape(c.x, [batch, steps, 1, channels]),
    weights: b.emit("RESHAPE", [c.weights], { shape: [outputs, taps, 1, depth] }, { quant: c.weights.quant }),
    windows: [...c.windows, still],
  });
  return b.reshape(result, [batch, result.shape[1] ?? 1, outputs]);
}

/** Weights as a constant; gives up the operator with the way out for those computed at run time. */
function constantWeights(n: OnnxNode, index: number): Tensor {
  const weights = n.input(index);
  if (weights.data === null) n.constants(index, "weights");
  return weights;
}

/** Data [batch, channels, ...] and weights [outputs, channels of a group, ...], as ONNX has them. */
export function convolution(
  n: OnnxNode,
  x: Tensor,
  weights: Tensor,
  bias: Tensor | null,
  quant: Quantization | null,
): Tensor {
  const rank = x.shape.length;
  requireOption(
    n,
    rank >= 3 && rank <= 5 && weights.shape.length === rank,
    "rank",
    rank,
    "3, 4 or 5, of data and weights",
  );
  if (weights.data === null) n.b.valuesOf(weights, "weights");
  const windows = windowsOf(n, x.shape.slice(2), n.attr.ints("kernel_shape", weights.shape.slice(2)));
  const result = convolve(n.b, {
    x: toLast(n.b, x),
    weights: toLast(n.b, weights),
    bias: biasOf(n.b, bias, x, weights),
    windows,
    groups: n.attr.int("group", 1),
    quant,
  });
  return toFirst(n.b, result);
}

/** Zeros between the elements along every spatial axis, by padding an axis of size 1 behind each. */
function spread(b: GraphBuilder, x: Tensor, strides: readonly number[]): Tensor {
  return strides.reduce((t, stride, d) => {
    const axis = d + 1;
    const size = t.shape[axis] ?? 1;
    if (stride === 1) return t;
    const [outer, inner] = [elementsOf(t.shape.slice(0, axis)), elementsOf(t.shape.slice(axis + 1))];
    const lone = b.reshape(t, [outer, size, 1, inner]);
    const padded = b.emit("PAD", [lone, b.constant("int32", [4, 2], [0, 0, 0, 0, 0, stride - 1, 0, 0])]);
    const whole = b.reshape(padded, [...t.shape.slice(0, axis), size * stride, ...t.shape.slice(axis + 1)]);
    return b.sliceAxis(whole, axis, 0, (size - 1) * stride + 1);
  }, x);
}

/** What is cut off the ends of a transposed convolution, and added after them. */
function transposedPads(n: OnnxNode, sizes: readonly number[], kernel: readonly number[]) {
  const rank = sizes.length;
  const ones = sizes.map(() => 1);
  const [strides, dilations] = [n.attr.ints("strides", ones), n.attr.ints("dilations", ones)];
  const extra = n.attr.ints(
    "output_padding",
    sizes.map(() => 0),
  );
  const wanted = n.attr.ints("output_shape", null);
  const auto = n.attr.text("auto_pad", "NOTSET");
  const pads = n.attr.ints("pads", new Array<number>(2 * rank).fill(0));
  return countTo(rank).map((d) => {
    const stride = strides[d] ?? 1;
    const extent = ((kernel[d] ?? 1) - 1) * (dilations[d] ?? 1) + 1;
    const full = (sizes[d] ?? 1) * stride - stride + extent + (extra[d] ?? 0);
    const isSame = auto === "SAME_UPPER" || auto === "SAME_LOWER";
    const output = wanted?.slice(-rank)[d] ?? (isSame ? (sizes[d] ?? 1) * stride : null);
    const total = output === null ? (pads[d] ?? 0) + (pads[d + rank] ?? 0) : full - output;
    const half = Math.floor(total / 2);
    const before = output === null ? (pads[d] ?? 0) : auto === "SAME_UPPER" ? half : total - half;
    return { stride, dilation: dilations[d] ?? 1, before, after: total - before, extra: extra[d] ?? 0, extent };
  });
}

/** TRANSPOSE_CONV, where its padding can say what the node asks for; null elsewhere. */
function asTransposeConv(n: OnnxNode, x: Tensor, weights: Tensor, bias: Tensor | null): Tensor | null {
  const [, outputs = 1, ...kernel] = weights.shape;
  const sizes = x.shape.slice(2);
  const axes = transposedPads(n, sizes, kernel);
  const isPlain = axes.every((a) => a.dilation === 1 && a.before >= 0 && a.extra === 0);
  if (!isPlain || sizes.length !== 2 || n.attr.int("group", 1) !== 1) return null;
  const shape = axes.map((a, d) => ((sizes[d] ?? 1) - 1) * a.stride + a.extent - a.before - a.after);
  const padding = axes.every((a) => a.before === 0 && a.after === 0) ? "VALID" : "SAME";
  // SAME takes the smaller half off the front, of what the output's size leaves over.
  const agrees = axes.every((a, d) => {
    const total = Math.max((Math.ceil((shape[d] ?? 1) / a.stride) - 1) * a.stride + a.extent - (shape[d] ?? 1), 0);
    return a.before === Math.floor(total / 2) && Math.ceil((shape[d] ?? 1) / a.stride) === sizes[d];
  });
  if (padding === "SAME" && !agrees) return null;
  const output = n.b.ints([x.shape[0] ?? 1, ...shape, outputs]);
  const attrs = { padding, stride: axes.map((a) => a.stride), ...noActivation };
  const inputs = [output, n.b.transpose(weights, [1, 2, 3, 0]), toLast(n.b, x), ...(bias ? [bias] : [])];
  return toFirst(n.b, n.b.emit("TRANSPOSE_CONV", inputs, attrs, { dtype: x.dtype, quant: n.quant }));
}

/** Weights [inputs, outputs of a group, ...] turned round, as [outputs, ..., inputs of a group]. */
function turned(b: GraphBuilder, weights: Tensor, groups: number): Tensor {
  const [inputs = 1, outputs = 1, ...kernel] = weights.shape;
  const flipped = b.slice(
    weights,
    weights.shape.map((size, d) =>
      d < 2 ? { begin: 0, end: size, stride: 1 } : { begin: size - 1, end: -1, stride: -1 },
    ),
  );
  const parts = b.reshape(flipped, [groups, inputs / groups, outputs, ...kernel]);
  const order = [0, 2, ...countTo(kernel.length).map((d) => d + 3), 1];
  return b.reshape(b.transpose(parts, order), [groups * outputs, ...kernel, inputs / groups]);
}

/**
 * A transposed convolution: TRANSPOSE_CONV where that can express it, else the convolution with the weights turned round of
 * the data with zeros in between, which is what it is.
 */
function convTranspose(n: OnnxNode): Tensor {
  const [x, weights, bias] = [n.input(0), constantWeights(n, 1), n.optional(2)];
  const direct = asTransposeConv(n, x, weights, bias);
  if (direct !== null) return direct;
  const groups = n.attr.int("group", 1);
  const kernel = weights.shape.slice(2);
  const axes = transposedPads(n, x.shape.slice(2), kernel);
  const margins = axes.map((a) => ({ before: a.extent - 1 - a.before, after: a.extent - 1 - a.after + a.extra }));
  const spaced = spread(
    n.b,
    toLast(n.b, x),
    axes.map((a) => a.stride),
  );
  // Less than nothing is added where more is cut off than a window reaches.
  const cut = n.b.slice(
    spaced,
    spaced.shape.map((size, d) => {
      const m = d > 0 && d <= margins.length ? margins[d - 1] : undefined;
      return { begin: Math.max(-(m?.before ?? 0), 0), end: size - Math.max(-(m?.after ?? 0), 0), stride: 1 };
    }),
  );
  const result = convolve(n.b, {
    x: cut,
    weights: turned(n.b, weights, groups),
    bias,
    windows: axes.map((a, d) => ({
      kernel: kernel[d] ?? 1,
      stride: 1,
      dilation: a.dilation,
      before: Math.max(margins[d]?.before ?? 0, 0),
      after: Math.max(margins[d]?.after ?? 0, 0),
    })),
    groups,
    quant: null,
  });
  return toFirst(n.b, result);
}

export const convolutions: readonly OnnxOperator[] = [
  operator({
    name: "Conv",
    types: float,
    quantizable: "computes",
    limits: "one to three spatial axes; constant weights",
    make: (n) => convolution(n, n.input(0), constantWeights(n, 1), n.optional(2), n.quant),
  }),
  operator({
    name: "ConvTranspose",
    types: float,
    limits: "one to three spatial axes; constant weights",
    make: convTranspose,
  }),
];
