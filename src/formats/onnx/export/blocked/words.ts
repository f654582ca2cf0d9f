import type { Tensor } from "../../../../ir/graph.js";
import { outputOf } from "../../../../ops/common/view.js";
import type { OpName } from "../../../../ops/index.js";
import { blockedDomain, type ExportContext, type Lower, timesFirst } from "../context.js";
import { plainLowerings } from "../export.js";
import { blocked, nchw, nhwc } from "../layouts.js";

/*
 * Words for ONNX Runtime's own blocked operators (domain com.microsoft.nchwc): an image [n, c, h, w] lies as
 * [n, c / block, h, w, block].
 */

export type Sizes = readonly [number, number, number, number];

/** True if all numbers are multiples of a block. */
export const fits = (c: ExportContext, ...sizes: readonly number[]): boolean =>
  sizes.every((n) => n > 0 && n % c.block === 0);

export const isImage = (c: ExportContext, t: Tensor): boolean => t.shape.length === 4 && fits(c, t.shape[3] ?? 0);

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

/** A blocked image as NCHW, or as NHWC. */
export const unblocked = (c: ExportContext, value: string, shape: Sizes, channelsLast: 0 | 1 = 0): string =>
  c.op("ReorderOutput", [c.reshape(value, shape)], { channels: shape[1], channels_last: channelsLast }, blockedDomain);

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
  const shape = [o, i, h, width];
  if (i < b) return c.reshape(blocksOf(c, c.take(w, nchw), [1, o, i * h * width, 1]), shape);
  const blocks = blocksOf(c, c.take(w, nhwc), [1, o, h * width * i, 1]);
  if (h * width === 1 || i === b) return c.reshape(blocks, shape);
  return transposed(c, blocks, [o / b, h * width, i / b, b * b], [0, 2, 1, 3], shape);
}

/** The filter that gives dx from dy: turned by 180 degrees, in and out channels swapped, each filter times its factor. */
export function turnedFilter(c: ExportContext, w: Tensor, factor: string | null): string {
  const b = c.block;
  const [o = 1, h = 1, width = 1, i = 1] = w.shape;
  const shape = [i, o, h, width];
  const scaled = timesFirst(c, c.take(w, nhwc), factor, 4);
  const turned = [1, 2].filter((axis) => w.shape[axis] !== 1);
  const list = (value: number): string => c.indices(turned.map(() => value));
  const filter =
    turned.length === 0 ? scaled : c.op("Slice", [scaled, list(-1), list(-(2 ** 31)), c.indices(turned), list(-1)]);
  const pixels = c.reshape(filter, [1, o * h * width, 1, i]);
  const blocks = c.op("ReorderInput", [pixels], { channels_last: 1 }, blockedDomain);
  if (turned.length === 0) return c.reshape(blocks, shape);
  return transposed(c, blocks, [i / b, o / b, b, h * width, b], [0, 1, 3, 2, 4], shape);
}

/** A depthwise filter 1HWO: an image of one row of blocks. */
export const depthwiseFilter = (c: ExportContext, w: Tensor): string => {
  const [, h = 1, width = 1, o = 1] = w.shape;
  return c.reshape(c.take(w, blocked), [o, 1, h, width]);
};

/** factor x + offset (+ sum), channel by channel; null for no offset. */
export function affine(
  c: ExportContext,
  x: string,
  factor: string,
  offset: string | null,
  channels: number,
  more: { readonly sum?: string | undefined; readonly activation?: "Relu" | undefined } = {},
): string {
  const filter = c.reshape(factor, [channels, 1, 1, 1]);
  const inputs = [x, filter, offset ?? "", ...(more.sum === undefined ? [] : [more.sum])];
  const given = offset === null && more.sum === undefined ? inputs.slice(0, 2) : inputs;
  const activation = more.activation === undefined ? {} : { activation: more.activation };
  return conv(c, given, { kernel_shape: [1, 1], group: channels, ...activation });
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
