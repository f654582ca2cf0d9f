import type { Tensor } from "../../../../ir/graph.js";
import { outputOf } from "../../../../ops/common/view.js";
import type { OpName } from "../../../../ops/index.js";
import { blockedDomain, type ExportContext, type Lower } from "../context.js";
import { rotated } from "../conv-gradients.js";
import { plainLowerings } from "../export.js";
import { blocked, channelsOutside, int64s, type Layout, nchw, nhwc } from "../layouts.js";
import { timesFirst } from "../operands.js";

/*
 * Words for ONNX Runtime's own blocked operators (domain com.microsoft.nchwc): an image [n, c, h, w] lies as
 * [n, c / block, h, w, block], the last block filled up with channels of zeros.
 */

export type Sizes = readonly [number, number, number, number];

/** Channels with those of zeros that fill the last block. */
export const filled = (c: ExportContext, channels: number): number => Math.ceil(channels / c.block) * c.block;

/** True if so many channels are held in blocks: the reorders take multiples of 4, and no more than half shall be zeros. */
export const fits = (c: ExportContext, ...channels: readonly number[]): boolean =>
  channels.every((n) => n > 0 && n % 4 === 0 && filled(c, n) <= 2 * n);

/** True if a convolution takes an image of so few channels as NCHW. */
export const areFew = (c: ExportContext, channels: number): boolean => channels < c.block && !fits(c, channels);

export const isImage = (c: ExportContext, t: Tensor): boolean => t.shape.length === 4 && fits(c, t.shape[3] ?? 0);

const same = (a: readonly number[], b: readonly number[]): boolean => a.every((n, d) => n === b[d]);

/** A value with zeros behind, up to a shape. */
export const grown = (c: ExportContext, value: string, shape: readonly number[], to: readonly number[]): string =>
  same(shape, to)
    ? value
    : c.op("Pad", [value, c.indices([...shape.map(() => 0), ...shape.map((n, d) => (to[d] ?? n) - n)])]);

/** The first elements of a value along every axis. */
export const cropped = (c: ExportContext, value: string, shape: readonly number[], to: readonly number[]): string =>
  same(shape, to) ? value : c.op("Slice", [value, c.indices(to.map(() => 0)), c.indices(to)]);

export const conv = (
  c: ExportContext,
  inputs: readonly string[],
  attributes: Parameters<ExportContext["op"]>[2],
): string => c.op("Conv", inputs, attributes, blockedDomain);

export const plain =
  (op: OpName): Lower =>
  (c, view) =>
    plainLowerings[op]?.(c, view);

/** NCHW of any shape, as blocks of its axis 1. */
export const blocksOf = (c: ExportContext, value: string, shape: Sizes): string =>
  c.op("ReorderInput", [c.reshape(value, shape)], { channels_last: 0 }, blockedDomain);

/** A blocked image [n, c, h, w] as NCHW, or as NHWC. */
export const unblocked = (c: ExportContext, value: string, shape: Sizes, layout: Layout = nchw): string => {
  const [n, channels, h, w] = shape;
  return c.unblocked(c.reshape(value, shape), layout, [n, h, w, channels]);
};

/**
 * Two axes of small images in each other's place: [n, first, second, inner] to [n, second, first, inner], n in blocks. With
 * images in blocks, rows of as many elements move, and the reorder that makes blocks can move them; a transpose works in
 * one thread, or starts all threads anew for every image.
 */
export function swapped(c: ExportContext, value: string, [n, first, second, inner]: Sizes): string {
  const parts = n / c.block;
  const moved = (rows: string, outer: number, from: number, to: number): string =>
    c.op("ReorderInput", [c.reshape(rows, [outer, from, 1, to * c.block])], { channels_last: 1 }, blockedDomain);
  const images = blocksOf(c, value, [1, n, first * second * inner, 1]);
  const apart = moved(images, parts, first, second * inner);
  const whole = inner === 1 ? apart : moved(apart, parts * second, inner, first);
  return unblocked(c, whole, [1, n, first * second * inner, 1]);
}

/** An image of few channels as a convolution takes it: NCHW. */
export function fewChannels(c: ExportContext, x: Tensor): string {
  const [n = 1, h = 1, w = 1, channels = 1] = x.shape;
  const isReady = c.home(x) !== nhwc || c.layouts(x).has(nchw) || channels === 1 || n % c.block !== 0;
  if (!isReady) c.give(x, nchw, c.reshape(swapped(c, c.take(x, nhwc), [n, h * w, channels, 1]), [n, channels, h, w]));
  return c.take(x, nchw);
}

export const transposed = (
  c: ExportContext,
  value: string,
  shape: readonly number[],
  perm: readonly number[],
  result: readonly number[],
): string => c.reshape(c.op("Transpose", [c.reshape(value, shape)], { perm }), result);

/**
 * A filter OHWI as [o / b, i / b, h, w, b of i, b of o]; of few input channels as [o / b, i, h, w, b of o]. A reorder
 * takes the filters for channels; of one tap it is all there is to do.
 */
export function blockedFilter(c: ExportContext, w: Tensor): string {
  const b = c.block;
  const [o = 1, h = 1, width = 1, i = 1] = w.shape;
  const all = filled(c, o);
  if (areFew(c, i)) return c.reshape(blocksOf(c, c.take(w, nchw), [1, o, i * h * width, 1]), [all, i, h, width]);
  const depth = filled(c, i);
  const blocks = blocksOf(c, grown(c, c.take(w, nhwc), w.shape, [o, h, width, depth]), [1, o, h * width * depth, 1]);
  const shape = [all, depth, h, width];
  if (h * width === 1 || depth === b) return c.reshape(blocks, shape);
  return transposed(c, blocks, [all / b, h * width, depth / b, b * b], [0, 2, 1, 3], shape);
}

/** The filter that gives dx from dy: turned by 180 degrees, in and out channels swapped, each filter times its factor. */
export function turnedFilter(c: ExportContext, w: Tensor, factor: string | null): string {
  const b = c.block;
  const [o = 1, h = 1, width = 1, i = 1] = w.shape;
  const [all, depth] = [filled(c, o), filled(c, i)];
  const shape = [depth, all, h, width];
  const scaled = grown(c, timesFirst(c, c.take(w, nhwc), factor, w.shape), w.shape, [all, h, width, i]);
  const turned = [1, 2].filter((axis) => w.shape[axis] !== 1);
  const list = (value: number): string => c.indices(turned.map(() => value));
  const filter =
    turned.length === 0 ? scaled : c.op("Slice", [scaled, list(-1), list(-(2 ** 31)), c.indices(turned), list(-1)]);
  const pixels = c.reshape(filter, [1, all * h * width, 1, i]);
  const blocks = c.op("ReorderInput", [pixels], { channels_last: 1 }, blockedDomain);
  if (turned.length === 0) return c.reshape(blocks, shape);
  return transposed(c, blocks, [depth / b, all / b, b, h * width, b], [0, 1, 3, 2, 4], shape);
}

/** Filters of at most so many taps are picked tap by tap, in one node; larger ones are reordered. */
const fewTaps = 2048;

const arePicked = (c: ExportContext, channels: number, taps: number): boolean =>
  channels % c.block === 0 && taps * channels <= fewTaps;

/** Where a channel's tap lies in a filter of blocks, [c / b, taps, b]. */
const inBlocks = (c: ExportContext, taps: number, channel: number, tap: number): number =>
  (Math.floor(channel / c.block) * taps + tap) * c.block + (channel % c.block);

function picked(c: ExportContext, flat: string, indices: readonly number[], shape: readonly number[]): string {
  return c.op("Gather", [flat, c.writer.constant("int64", shape, int64s(indices))], { axis: 0 });
}

/** A depthwise filter's taps in blocks, turned by 180 degrees if so wanted. */
function blockedTaps(c: ExportContext, w: Tensor, isTurned: boolean, shape: readonly number[]): string {
  const [, h = 1, width = 1, o = 1] = w.shape;
  const taps = h * width;
  const indices = new Array<number>(taps * o);
  for (let i = 0; i < taps * o; i++) {
    const [channel, tap] = [Math.floor(i / taps), i % taps];
    indices[inBlocks(c, taps, channel, isTurned ? taps - 1 - tap : tap)] = i;
  }
  return picked(c, c.reshape(c.take(w, channelsOutside), [taps * o]), indices, shape);
}

/** A depthwise filter 1HWO: an image of one row of blocks. */
export function depthwiseFilter(c: ExportContext, w: Tensor): string {
  const [, h = 1, width = 1, o = 1] = w.shape;
  const shape = [filled(c, o), 1, h, width];
  return arePicked(c, o, h * width) ? blockedTaps(c, w, false, shape) : c.reshape(c.take(w, blocked), shape);
}

/** The depthwise filter that gives dx from dy: turned by 180 degrees, each channel times its factor. */
export function turnedDepthwiseFilter(c: ExportContext, w: Tensor, factor: string | null): string {
  const [, h = 1, width = 1, o = 1] = w.shape;
  const shape = [filled(c, o), 1, h, width];
  if (arePicked(c, o, h * width)) {
    if (factor === null) return blockedTaps(c, w, true, shape);
    const rows = blockedTaps(c, w, true, [o / c.block, h * width, c.block]);
    return c.reshape(c.op("Mul", [rows, c.reshape(factor, [o / c.block, 1, c.block])]), shape);
  }
  const turned = rotated(c, timesFirst(c, c.take(w, channelsOutside), factor, [o, 1, h, width]), [h, width]);
  return c.reshape(blocksOf(c, turned, [1, o, h, width]), shape);
}

/** Taps of a depthwise filter in blocks, [taps c] in all, with channels outside: [c, 1, h, w]. */
export function tapsOfBlocks(
  c: ExportContext,
  value: string,
  [channels, h, w]: readonly [number, number, number],
): string {
  const [taps, shape] = [h * w, [channels, 1, h, w]];
  if (!arePicked(c, channels, taps)) return c.reshape(unblocked(c, value, [1, channels, h, w]), shape);
  const indices = Array.from({ length: taps * channels }, (_, i) => inBlocks(c, taps, Math.floor(i / taps), i % taps));
  return picked(c, value, indices, shape);
}

/** Activations that a convolution computes along with its sums, as its attributes. */
const activations = {
  NONE: {},
  RELU: { activation: "Relu" },
  RELU6: { activation: "Clip", activation_params: { floats: [0, 6] } },
} as const;

export type BlockedActivation = keyof typeof activations;

export const isBlockedActivation = (activation: string): activation is BlockedActivation =>
  Object.hasOwn(activations, activation);

export const activationOf = (activation: BlockedActivation): Parameters<ExportContext["op"]>[2] =>
  activations[activation];

/**
 * factor x + offset (+ sum), channel by channel, of factors and offsets [1, c]; null for no offset. What is computed
 * `again` takes its offset in another shape, lest the runtime finds the first result and keeps it.
 */
export function affine(
  c: ExportContext,
  x: string,
  factor: string,
  offset: string | null,
  channels: number,
  more: { readonly sum?: string | undefined; readonly activation?: BlockedActivation; readonly again?: boolean } = {},
): string {
  const all = filled(c, channels);
  const whole = (value: string): string => grown(c, value, [1, channels], [1, all]);
  const filter = c.reshape(whole(factor), [all, 1, 1, 1]);
  const bias = offset === null ? "" : more.again ? c.reshape(whole(offset), [all]) : whole(offset);
  const inputs = [x, filter, bias, ...(more.sum === undefined ? [] : [more.sum])];
  const given = offset === null && more.sum === undefined ? inputs.slice(0, 2) : inputs;
  return conv(c, given, { kernel_shape: [1, 1], group: all, ...activationOf(more.activation ?? "NONE") });
}

/** A blocked image with zeros around it: a convolution by ones, which runs in all threads, as Pad does not. */
export function withZeros(
  c: ExportContext,
  value: string,
  channels: number,
  pads: readonly [top: number, left: number, bottom: number, right: number],
): string {
  if (pads.every((n) => n === 0)) return value;
  const ones = c.floats([channels, 1, 1, 1], new Array<number>(channels).fill(1));
  return conv(c, [value, ones], { kernel_shape: [1, 1], group: channels, pads });
}

/** The sum that alone reads a tensor, if what is added is there already and as large: both can be computed at once. */
export function sumAfter(c: ExportContext, y: Tensor): { readonly added: Tensor; readonly output: Tensor } | null {
  const readers = c.readers(y);
  const reader = readers.length === 1 ? readers[0] : undefined;
  if (reader?.op !== "ADD" || (reader.attrs as { activation?: string }).activation !== "NONE") return null;
  const added = reader.inputs.find((t) => t !== null && t.id !== y.id);
  if (!added || added.data !== null || added.shape.join() !== y.shape.join() || c.layouts(added).size === 0)
    return null;
  return { added, output: outputOf(reader, 0) };
}
