import { present } from "../../../base/assert.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { ConvGradientAttrs } from "../../../ops/common/conv-gradients.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import {
  bandedConv,
  bandedInput,
  bandedWeights,
  type Depthwise,
  hasBandedConv,
  hasBandedInput,
  hasBandedWeights,
} from "./banded.js";
import { type ExportContext, type Lower, microsoft } from "./context.js";
import { arranged, channelsOutside, nchw } from "./layouts.js";
import { factored, sumOfFirst, timesFirst } from "./operands.js";
import { transposedSpan } from "./spatial.js";

/** A convolution's sizes along height and width. */
export interface ConvShape {
  readonly attrs: ConvGradientAttrs;
  readonly batch: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly size: readonly [number, number];
  readonly outSize: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly group: number;
}

export function convShape(
  attrs: ConvGradientAttrs,
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
): ConvShape {
  const [batch = 1, h = 1, width = 1, channels = 1] = x;
  const [, oh = 1, ow = 1, outChannels = 1] = y;
  const [, kh = 1, kw = 1, last = 1] = w;
  const group = attrs.weights === "1HWO" ? channels : channels / last;
  return { attrs, batch, channels, outChannels, size: [h, width], outSize: [oh, ow], taps: [kh, kw], group };
}

export const isDepthwise = (s: ConvShape): boolean => s.attrs.weights === "1HWO";
const layoutOf = (s: ConvShape): string => (isDepthwise(s) ? channelsOutside : "0312");
const axes = [0, 1] as const;
const before = (s: ConvShape, axis: 0 | 1): number => s.attrs.padding[2 * axis] as number;

/** Turns a filter by 180 degrees: axes 2 and 3 backwards. */
export function rotated(c: ExportContext, filter: string, taps: readonly [number, number]): string {
  const turned = axes.filter((d) => taps[d] > 1);
  if (turned.length === 0) return filter;
  const list = (value: number): string => c.indices(turned.map(() => value));
  return c.op("Slice", [filter, list(-1), list(-(2 ** 31)), c.indices(turned.map((d) => d + 2)), list(-1)]);
}

/** Padding around dy so that a convolution by the turned filter gives dx; null where some would be negative. */
export function fullPadding(s: ConvShape, length: readonly [number, number]): readonly number[] | null {
  const reach = axes.map((d) => (s.taps[d] - 1) * s.attrs.dilation[d]);
  const first = axes.map((d) => (reach[d] as number) - before(s, d));
  const last = axes.map((d) => s.size[d] - length[d] + (reach[d] as number) - (first[d] as number));
  const pads = [...first, ...last];
  return pads.every((n) => n >= 0) ? pads : null;
}

/** dx of a convolution of any kind: the transposed convolution. */
function transposedInput(c: ExportContext, s: ConvShape, dy: string, filter: string): string {
  const spans = axes.map((d) =>
    transposedSpan(s.outSize[d], s.size[d], s.taps[d], s.attrs.stride[d], before(s, d), s.attrs.dilation[d]),
  );
  return c.op("ConvTranspose", [dy, filter], {
    kernel_shape: s.taps,
    strides: s.attrs.stride,
    dilations: s.attrs.dilation,
    group: s.group,
    pads: [...spans.map((p) => p.before), ...spans.map((p) => p.after)],
    output_padding: spans.map((p) => p.more),
  });
}

/** dy with stride - 1 zeros behind every row and column. */
function zeroStuffed(c: ExportContext, s: ConvShape, dy: string): string {
  const [oh, ow] = s.outSize;
  const [sh, sw] = s.attrs.stride;
  const apart = c.reshape(dy, [s.batch, s.outChannels, oh, 1, ow, 1]);
  const padded = c.op("Pad", [apart, c.indices([0, 0, 0, 0, 0, 0, 0, 0, 0, sh - 1, 0, sw - 1])]);
  return c.reshape(padded, [s.batch, s.outChannels, oh * sh, ow * sw]);
}

/** A filter whose axis 1 has a factor each. */
const timesSecond = (c: ExportContext, filter: string, factor: string | null): string =>
  factor === null ? filter : c.op("Mul", [filter, c.reshape(factor, [1, -1, 1, 1])]);

export const inputGradient: Lower = (c, view) => {
  const attrs = view.attrs as ConvGradientAttrs & { readonly inputShape: readonly number[] };
  const [dy, w, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const s = convShape(attrs, attrs.inputShape, w.shape, dy.shape);
  const { base, factor } = factored(c, dy);
  const value = c.take(base, nchw);
  const isStrided = attrs.stride.some((n) => n > 1);
  const single = isDepthwise(s) && s.channels === s.outChannels;
  const d: Depthwise = { ...s, ...attrs, before: [attrs.padding[0], attrs.padding[2]] };
  if (single && hasBandedInput(d)) {
    c.give(
      dx,
      nchw,
      bandedInput(c, d, value, timesFirst(c, c.take(w, channelsOutside), factor, arranged(w.shape, channelsOutside))),
    );
    return;
  }
  const length = axes.map((d) => s.outSize[d] * attrs.stride[d]) as unknown as readonly [number, number];
  const pads = fullPadding(s, length);
  const dilated = attrs.dilation.some((n) => n > 1);
  const plain = pads !== null && (isStrided ? single && !dilated : single || s.group === 1);
  if (!plain) {
    c.give(
      dx,
      nchw,
      transposedInput(c, s, value, timesFirst(c, c.take(w, layoutOf(s)), factor, arranged(w.shape, layoutOf(s)))),
    );
    return;
  }
  // In and out channels swap; of a depthwise filter, it is the order that ONNX wants anyway.
  const swapped = c.take(w, channelsOutside);
  const scaled = single
    ? timesFirst(c, swapped, factor, arranged(w.shape, channelsOutside))
    : timesSecond(c, swapped, factor);
  const filter = rotated(c, scaled, s.taps);
  const data = isStrided ? zeroStuffed(c, s, value) : value;
  const banded: Depthwise = {
    ...s,
    size: isStrided ? length : s.outSize,
    outSize: s.size,
    stride: [1, 1],
    dilation: attrs.dilation,
    before: [pads[0] as number, pads[1] as number],
  };
  if (single && hasBandedConv(banded)) {
    c.give(dx, nchw, bandedConv(c, banded, data, filter));
    return;
  }
  const geometry = { kernel_shape: s.taps, dilations: attrs.dilation, pads, group: single ? s.group : 1 };
  c.give(dx, nchw, c.op("Conv", [data, filter], geometry));
};

/** The sum over a batch of matrices dy [n, o, pixels] by columns [n, k, pixels], transposed: [o, k], in a shape. */
export const batchProduct = (
  c: ExportContext,
  dy: string,
  columns: string,
  n: number,
  shape: readonly number[],
): string => sumOfFirst(c, c.op("FusedMatMul", [dy, columns], { transB: 1 }, microsoft), n, shape);

/** The rows and columns that one tap of the filter reads, of a padded image. */
function tapOf(c: ExportContext, s: ConvShape, padded: string, tap: readonly [number, number]): string {
  const { stride, dilation } = s.attrs;
  const from = axes.map((d) => tap[d] * dilation[d]);
  const to = axes.map((d) => (from[d] as number) + (s.outSize[d] - 1) * stride[d] + 1);
  return c.op("Slice", [padded, c.indices(from), c.indices(to), c.indices([2, 3]), c.indices(stride)]);
}

/** An image with the padding that the taps reach. */
function paddedImage(c: ExportContext, s: ConvShape, x: string): string {
  const [top, bottom, left, right] = s.attrs.padding;
  const amounts = [0, 0, top, left, 0, 0, bottom, right];
  return amounts.every((n) => n === 0) ? x : c.op("Pad", [x, c.indices(amounts)]);
}

/** dw by one matrix product: every tap's pixels as rows, taps outermost, so that the result is OHWI. */
function weightsByColumns(c: ExportContext, s: ConvShape, x: string, dy: string): string {
  const pixels = s.outSize[0] * s.outSize[1];
  const taps = Array.from(
    { length: s.taps[0] * s.taps[1] },
    (_, t) => [Math.floor(t / s.taps[1]), t % s.taps[1]] as const,
  );
  const isPointwise = taps.length === 1 && s.attrs.stride.every((n) => n === 1);
  const padded = paddedImage(c, s, x);
  const parts = isPointwise ? [padded] : taps.map((tap) => tapOf(c, s, padded, tap));
  const joined = parts.length === 1 ? present(parts[0], "tap") : c.op("Concat", parts, { axis: 1 });
  const columns = c.reshape(joined, [s.batch, taps.length * s.channels, pixels]);
  const shape = [s.outChannels, s.taps[0], s.taps[1], s.channels];
  return batchProduct(c, c.reshape(dy, [s.batch, s.outChannels, pixels]), columns, s.batch, shape);
}

/** The convolution that gives dw: x by dy, strides and dilations exchanged, cut to the filter's size. */
export function gradientConv(c: ExportContext, s: ConvShape, x: string, dy: string, group: number): string {
  const { padding, stride, dilation } = s.attrs;
  const result = c.op("Conv", [x, dy], {
    kernel_shape: s.outSize,
    strides: dilation,
    dilations: stride,
    group,
    pads: [padding[0], padding[2], padding[1], padding[3]],
  });
  const found = axes.map(
    (d) =>
      Math.floor(
        (s.size[d] + before(s, d) + (padding[2 * d + 1] as number) - (s.outSize[d] - 1) * stride[d] - 1) / dilation[d],
      ) + 1,
  );
  if (axes.every((d) => found[d] === s.taps[d])) return result;
  return c.op("Slice", [result, c.indices([0, 0]), c.indices(s.taps), c.indices([2, 3])]);
}

/** dw of a depthwise convolution, [o, 1, h, w]: every image's channel is a group. */
function depthwiseWeights(c: ExportContext, s: ConvShape, x: string, dy: string): string {
  const { padding } = s.attrs;
  const banded: Depthwise = { ...s, ...s.attrs, before: [padding[0], padding[2]] };
  if (s.channels === s.outChannels && hasBandedWeights(banded)) return bandedWeights(c, banded, x, dy);
  const all = s.batch * s.channels;
  const [data, filter] = [c.reshape(x, [1, all, ...s.size]), c.reshape(dy, [s.batch * s.outChannels, 1, ...s.outSize])];
  return sumOfFirst(c, gradientConv(c, s, data, filter, all), s.batch, [s.outChannels, 1, ...s.taps]);
}

/** Images as channels and channels as images, [c, n, h, w]: dw as [i, o, h, w]. */
export function swappedWeights(c: ExportContext, s: ConvShape, x: Tensor, dy: Tensor): string {
  return gradientConv(c, s, c.take(x, channelsOutside), c.take(dy, channelsOutside), 1);
}

/** Few enough input channels for the product by columns to be slower than a convolution of swapped axes. */
export const fewChannels = 4;

/** Each group on its own, where there are several that are not depthwise. */
function groupedWeights(c: ExportContext, s: ConvShape, x: string, dy: string): string {
  const parts = (value: string, channels: number): readonly string[] =>
    c.writer.node(
      "Split",
      [value, c.indices(new Array<number>(s.group).fill(channels / s.group))],
      { axis: 1 },
      { outputs: s.group },
    );
  const [xs, dys] = [parts(x, s.channels), parts(dy, s.outChannels)];
  const one = { ...s, channels: s.channels / s.group, outChannels: s.outChannels / s.group };
  return c.op(
    "Concat",
    xs.map((part, g) => weightsByColumns(c, one, part, dys[g] ?? "")),
    { axis: 0 },
  );
}

/** Sizes of a weights gradient. */
export function weightsShapeOf(view: NodeView<never>): ConvShape {
  const attrs = view.attrs as ConvGradientAttrs & { readonly weightsShape: readonly number[] };
  return convShape(attrs, inputOf(view, 1).shape, attrs.weightsShape, inputOf(view, 0).shape);
}

export const weightsGradient: Lower = (c, view) => {
  const [x, dw] = [inputOf(view, 1), outputOf(view, 0)];
  const { base: dy, factor } = factored(c, inputOf(view, 0));
  const s = weightsShapeOf(view);
  const give = (layout: string, value: string): void =>
    c.give(dw, layout, timesFirst(c, value, factor, arranged(dw.shape, layout)));
  if (isDepthwise(s)) give(channelsOutside, depthwiseWeights(c, s, c.take(x, nchw), c.take(dy, nchw)));
  else if (s.group > 1) give("0123", groupedWeights(c, s, c.take(x, nchw), c.take(dy, nchw)));
  else if (s.channels <= fewChannels) {
    const swapped = swappedWeights(c, s, x, dy);
    c.give(dw, channelsOutside, timesSecond(c, swapped, factor));
  } else give("0123", weightsByColumns(c, s, c.take(x, nchw), c.take(dy, nchw)));
};
