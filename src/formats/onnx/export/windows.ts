import type { Padding } from "../../../ops/common/padding.js";
import { windowAxes } from "../../../ops/common/padding.js";
import type { WindowAxis } from "../../../ops/spec.js";

/** Explicit padding of both axes, as ONNX writes it: all before, then all after. */
export interface Window {
  readonly rows: WindowAxis;
  readonly columns: WindowAxis;
}

export const windowOf = (
  image: readonly number[],
  kernel: readonly [number, number],
  attrs: {
    readonly padding: Padding;
    readonly stride: readonly [number, number];
    readonly dilation?: readonly [number, number];
  },
): Window =>
  windowAxes(image[1] ?? 0, image[2] ?? 0, {
    kernel,
    padding: attrs.padding,
    stride: attrs.stride,
    dilation: attrs.dilation ?? [1, 1],
  });

export const padsOf = ({ rows, columns }: Window): readonly number[] => [
  rows.before,
  columns.before,
  rows.after,
  columns.after,
];

/** The attributes of ONNX's Conv that the window gives. */
export const windowAttributes = (window: Window) => ({
  kernel_shape: [window.rows.taps, window.columns.taps],
  strides: [window.rows.stride, window.columns.stride],
  dilations: [window.rows.dilation, window.columns.dilation],
  pads: padsOf(window),
});
