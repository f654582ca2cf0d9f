import type { Tensor } from "../../../../ir/graph.js";
import { inputOf, outputOf } from "../../../../ops/common/view.js";
import { blockedDomain, type ExportContext, type Lower } from "../context.js";
import { batchProduct, type ConvShape, isDepthwise, weightsShapeOf } from "../conv-gradients.js";
import { arranged, blocked, channelsOutside, nchw, nhwc } from "../layouts.js";
import { factored, sumOfFirst, timesFirst } from "../operands.js";
import {
  areFew,
  blocksOf,
  conv,
  cropped,
  filled,
  fits,
  plain,
  tapsOfBlocks,
  transposed,
  unblocked,
  withZeros,
} from "./words.js";

/*
 * Gradients of filters: convolutions that sum over images in place of channels, or matrix products.
 */

const axes = [0, 1] as const;

/** How far the products of a gradient reach beyond an image's end, along height and width. */
const beyond = ({ attrs, taps, size, outSize }: ConvShape): readonly number[] =>
  axes.map((d) => {
    const reach = (taps[d] - 1) * attrs.dilation[d] + (outSize[d] - 1) * attrs.stride[d] + 1;
    return reach - size[d] - (attrs.padding[2 * d] as number);
  });

/**
 * An image for a convolution over images in place of channels: [c / q, n, h, w q], blocks of n, the q channels of a pixel
 * beside each other; so that the taps of all q are as many outputs in a row as the runtime's kernel likes. Columns are
 * padded: at the borders, it would compute one output at a time.
 */
function imagesAsChannels(c: ExportContext, s: ConvShape, x: Tensor, left: number, right: number): string {
  const b = c.block;
  const [h, w] = [s.size[0], s.size[1] + left + right];
  if (areFew(c, s.channels)) {
    const width = s.size[1] * s.channels;
    // As `swapped` has it, so that the forward pass and this one share a reorder.
    const images = blocksOf(c, c.take(x, nhwc), [1, s.batch, h * width, 1]);
    const planes = c.reshape(images, [1, s.batch, h, width]);
    return withZeros(c, planes, s.batch, [0, left * s.channels, 0, right * s.channels]);
  }
  const channels = filled(c, s.channels);
  const padded = withZeros(c, c.take(x, blocked), channels, [0, left, 0, right]);
  const parts = channels / b;
  const planes = blocksOf(c, padded, [1, s.batch, parts * h, w * b]);
  const shape = [parts, s.batch, h, w * b];
  if (parts === 1) return c.reshape(planes, shape);
  return transposed(c, planes, [s.batch / b, parts, h * w * b * b], [1, 0, 2], shape);
}

/**
 * dy as filters over images, a group for each block of images: [n / b, o, b of n, h, w], blocks of both. Images and pixels
 * change places by the reorder that makes blocks, for which a block of images is as many pixels: it runs in all threads, a
 * transpose in one.
 */
function imagesAsFilters(c: ExportContext, s: ConvShape, dy: Tensor): string {
  const b = c.block;
  const channels = filled(c, s.outChannels);
  const rows = c.reshape(c.take(dy, blocked), [s.batch / b, b, 1, channels * s.outSize[0] * s.outSize[1]]);
  const moved = c.op("ReorderInput", [rows], { channels_last: 1 }, blockedDomain);
  return c.reshape(moved, [(s.batch / b) * channels, b, ...s.outSize]);
}

/** dw, OHWI, of any filter: x with images as channels, filtered by dy. */
function weightsByImages(c: ExportContext, s: ConvShape, x: Tensor, dy: Tensor): string {
  const { stride, dilation, padding } = s.attrs;
  const [bottom = 0, right = 0] = beyond(s).map((n) => Math.max(n, 0));
  const [top, , left] = padding;
  const few = areFew(c, s.channels);
  const [q, parts] = few ? [s.channels, 1] : [c.block, filled(c, s.channels) / c.block];
  const rows = Math.floor((s.size[0] + top + bottom - (s.outSize[0] - 1) * stride[0] - 1) / dilation[0]) + 1;
  const columns = s.size[1] + left + right - (s.outSize[1] - 1) * stride[1];
  const groups = s.batch / c.block;
  const each = conv(c, [imagesAsChannels(c, s, x, left, right), imagesAsFilters(c, s, dy)], {
    kernel_shape: s.outSize,
    strides: [dilation[0], 1],
    dilations: [stride[0], stride[1] * q],
    pads: [top, 0, bottom, 0],
    group: groups,
  });
  const filters = filled(c, s.outChannels);
  const size = filters * rows * columns * q;
  const ofAll = (): string =>
    parts === 1
      ? sumOfFirst(c, each, groups, [size])
      : c.op("ReduceSum", [c.reshape(each, [parts, groups, size]), c.indices([1])], { keepdims: 0 });
  const sums = groups === 1 ? each : ofAll();
  const all = c.reshape(unblocked(c, sums, [parts, filters, rows, columns * q]), [parts, filters, rows, columns, q]);
  const span = (s.taps[1] - 1) * dilation[1] + 1;
  const isWhole = rows === s.taps[0] && columns === s.taps[1];
  const taps = isWhole
    ? all
    : c.op("Slice", [
        all,
        c.indices([0, 0]),
        c.indices([s.taps[0], span]),
        c.indices([2, 3]),
        c.indices([1, dilation[1]]),
      ]);
  const shape = [filters, ...s.taps, parts * q];
  const whole =
    parts === 1 ? c.reshape(taps, shape) : transposed(c, taps, [parts, filters, ...s.taps, q], [1, 2, 3, 0, 4], shape);
  return cropped(c, whole, shape, [s.outChannels, ...s.taps, s.channels]);
}

/** dw of a depthwise filter, [o, 1, h, w]: channels of all images are as many groups, which fill blocks together. */
function depthwiseWeights(c: ExportContext, s: ConvShape, x: Tensor, dy: Tensor): string {
  const whole = fits(c, s.channels);
  const channels = whole ? filled(c, s.channels) : s.channels;
  const all = s.batch * channels;
  const { padding, stride, dilation } = s.attrs;
  const [bottom = 0, right = 0] = beyond(s);
  const [top, , left] = padding;
  const planes = (t: Tensor, size: readonly [number, number]): string =>
    whole ? c.take(t, blocked) : blocksOf(c, c.take(t, nchw), [1, all, ...size]);
  const [h, w] = [s.size[0], s.size[1] + left + right];
  // Columns are padded first, for at borders the runtime computes one output at a time.
  const data = whole ? withZeros(c, planes(x, s.size), channels, [0, left, 0, right]) : planes(x, s.size);
  const inputs = [
    c.reshape(data, [1, all, h, whole ? w : s.size[1]]),
    c.reshape(planes(dy, s.outSize), [all, 1, ...s.outSize]),
  ];
  const pads = whole ? [top, 0, bottom, 0] : [top, left, bottom, right];
  const each = conv(c, inputs, { kernel_shape: s.outSize, strides: dilation, dilations: stride, pads, group: all });
  const shape = [channels, 1, ...s.taps];
  const perImage = whole ? each : unblocked(c, each, [1, all, ...s.taps]);
  const filter = whole
    ? tapsOfBlocks(c, sumOfFirst(c, perImage, s.batch, [channels * s.taps[0] * s.taps[1]]), [channels, ...s.taps])
    : sumOfFirst(c, perImage, s.batch, shape);
  return cropped(c, filter, shape, [s.channels, 1, ...s.taps]);
}

/** Below so many pixels an image, products of single images are mostly overhead. */
const fewPixels = 100;

/** dw, OHWI, of a filter of one tap, not padded: a product over pixels. */
function pointwiseWeights(c: ExportContext, s: ConvShape, x: Tensor, dy: Tensor): string {
  const pixels = s.outSize[0] * s.outSize[1];
  const shape = [s.outChannels, 1, 1, s.channels];
  if (pixels < fewPixels && s.attrs.stride.every((n) => n === 1)) {
    // One product over the pixels of all images.
    const rows = (t: Tensor, channels: number): string => c.reshape(c.take(t, nhwc), [s.batch * pixels, channels]);
    return c.reshape(c.op("Gemm", [rows(dy, s.outChannels), rows(x, s.channels)], { transA: 1 }), shape);
  }
  // A pool of one pixel takes those that the stride reaches.
  const pool = { kernel_shape: [1, 1], strides: s.attrs.stride, pads: [0, 0, 0, 0] };
  const data = s.attrs.stride.every((n) => n === 1)
    ? c.take(x, nchw)
    : c.op(
        "ReorderOutput",
        [c.op("MaxPool", [c.take(x, blocked)], pool, blockedDomain)],
        { channels: s.channels, channels_last: 0 },
        blockedDomain,
      );
  const matrices = (value: string, channels: number): string => c.reshape(value, [s.batch, channels, pixels]);
  return batchProduct(c, matrices(c.take(dy, nchw), s.outChannels), matrices(data, s.channels), s.batch, shape);
}

export const weightsGradient: Lower = (c, view) => {
  const [x, dw] = [inputOf(view, 1), outputOf(view, 0)];
  const { base: dy, factor } = factored(c, inputOf(view, 0));
  const s = weightsShapeOf(view);
  const give = (layout: string, value: string): void =>
    c.give(dw, layout, timesFirst(c, value, factor, arranged(dw.shape, layout)));
  const fallback = (): void => plain("CONV_2D_WEIGHTS_GRADIENT")(c, view);
  if (isDepthwise(s)) {
    const blocks = fits(c, s.channels) || (s.batch * s.channels) % c.block === 0;
    const usable = s.channels === s.outChannels && blocks && beyond(s).every((n) => n >= 0);
    return usable ? give(channelsOutside, depthwiseWeights(c, s, x, dy)) : fallback();
  }
  const isPointwise = s.taps[0] === 1 && s.taps[1] === 1 && s.attrs.padding.every((n) => n === 0);
  const fitting = s.group === 1 && fits(c, s.outChannels) && (areFew(c, s.channels) || fits(c, s.channels));
  if (!fitting) return fallback();
  if (isPointwise && fits(c, s.channels)) return give(nhwc, pointwiseWeights(c, s, x, dy));
  if (isPointwise || s.batch % c.block !== 0) return fallback();
  give(nhwc, weightsByImages(c, s, x, dy));
};
