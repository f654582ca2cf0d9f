import { present } from "../../../base/assert.js";
import { elementsOf, makeData, type TensorData } from "../../../base/dtype.js";

/**
 * How a tensor's elements lie in an ONNX value: axis i of the value is the graph's axis `layout[i]`. "0312" is NCHW for an
 * NHWC image. "blocked" is ONNX Runtime's own order of an NCHW image, blocks of channels innermost.
 */
export type Layout = string;

export const nchw: Layout = "0312";
export const nhwc: Layout = "0123";
/** A depthwise filter 1HWO, or any with its output channels last, as ONNX has it: channels outside. */
export const channelsOutside: Layout = "3012";
export const blocked: Layout = "blocked";

/** The layout of the graph's own order of axes. */
export const identity = (rank: number): Layout => Array.from({ length: rank }, (_, d) => String(d)).join("");

/** Channels (the last axis) moved behind the batch: what ONNX's spatial operators take. */
export const channelsFirst = (rank: number): Layout =>
  rank <= 2 ? identity(rank) : `0${rank - 1}${identity(rank - 1).slice(1)}`;

export const axesOf = (layout: Layout): readonly number[] => Array.from(layout === blocked ? nchw : layout, Number);

/** A shape in the order of a layout. */
export const arranged = (shape: readonly number[], layout: Layout): readonly number[] =>
  axesOf(layout).map((axis) => present(shape[axis], "axis"));

/** Where a graph's axis lies in a layout. */
export const place = (axis: number, layout: Layout): number => axesOf(layout).indexOf(axis);

/** The order of a value's axes that brings it from one layout to another. */
export const permutation = (from: Layout, to: Layout): readonly number[] => axesOf(to).map((axis) => place(axis, from));

/** True if a permutation of a shape leaves elements where they are. */
export function keepsPlaces(shape: readonly number[], order: readonly number[]): boolean {
  const moved = order.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0));
}

/** A constant's elements in the order of a layout. */
export function arrange(data: TensorData, shape: readonly number[], layout: Layout): TensorData {
  const order = axesOf(layout);
  if (keepsPlaces(shape, order)) return data;
  const steps = shape.map((_, d) => elementsOf(shape.slice(d + 1)));
  const sizes = arranged(shape, layout);
  const out = new (data.constructor as new (n: number) => TensorData)(data.length);
  const [from, to] = [data as Float32Array, out as Float32Array];
  const index = new Array<number>(sizes.length).fill(0);
  let at = 0;
  for (let o = 0; o < to.length; o++) {
    to[o] = from[at] as number;
    for (let d = sizes.length - 1; d >= 0; d--) {
      const step = steps[order[d] as number] as number;
      index[d] = (index[d] as number) + 1;
      at += step;
      if ((index[d] as number) < (sizes[d] as number)) break;
      at -= step * (sizes[d] as number);
      index[d] = 0;
    }
  }
  return out;
}

/** Indices as ONNX wants them. */
export const int64s = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);

/** `count` equal floats. */
export const floats = (count: number, value: number): Float32Array =>
  (makeData("float32", count) as Float32Array).fill(value);
