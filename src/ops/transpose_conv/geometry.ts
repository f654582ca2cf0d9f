import type { NodeView } from "../../ir/graph.js";
import type { Activation } from "../common/activation.js";
import { windowSpan } from "../common/padding.js";
import { constantOf, inputOf, outputOf, sizeAt } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import type { RowWindow } from "../spec.js";

export interface TransposeConvAttrs {
  /** Of the convolution that this one undoes. */
  readonly padding: "SAME" | "VALID";
  readonly stride: readonly [height: number, width: number];
  readonly activation: Activation;
}

/**
 * The output's shape: input 0's values, or what the model declares where they arrive at run time. TFLM, too, takes the
 * declared shape and never looks at them.
 */
export function statedShape(view: NodeView<TransposeConvAttrs>): readonly number[] {
  const shape = inputOf(view, 0);
  return shape.data === null ? outputOf(view, 0).shape : constantOf(shape);
}

/** Sizes and window; the padding follows from the output's size. */
export function transposeConvGeometry(view: NodeView<TransposeConvAttrs>) {
  const input = inputOf(view, 2).shape;
  const filter = inputOf(view, 1).shape;
  const kernel = [sizeAt(filter, 1), sizeAt(filter, 2)] as const;
  const [, outHeight = 0, outWidth = 0] = statedShape(view);
  const { padding, stride } = view.attrs;
  return {
    batch: sizeAt(input, 0),
    height: sizeAt(input, 1),
    width: sizeAt(input, 2),
    channels: sizeAt(input, 3),
    outHeight,
    outWidth,
    outChannels: sizeAt(filter, 0),
    kernel,
    padTop: windowSpan(outHeight, kernel[0], stride[0], 1, padding).before,
    padLeft: windowSpan(outWidth, kernel[1], stride[1], 1, padding).before,
  };
}

/**
 * Output row y gets input rows i with a filter tap y + padTop - i * stride: those from the last tap's row on, as many as
 * a stride leaves of the taps. Where that is one too many, the kernel skips the last.
 */
export function transposedRows(view: NodeView<TransposeConvAttrs>): RowWindow {
  const { kernel, padTop } = transposeConvGeometry(view);
  const [taps, stride] = [kernel[0], view.attrs.stride[0]];
  return {
    first: (row) => Math.floor((row + padTop - taps + stride) / stride),
    taps: Math.ceil(taps / stride),
    dilation: 1,
  };
}

/** What the shared kernel factory needs to know. */
export const transposed: Weighted<TransposeConvAttrs> = {
  index: { input: 2, weights: 1, bias: 3 },
  stem: "ops/transpose_conv/transpose_conv",
  activation: (a) => a.activation,
  form: "row",
  takesRow: true,
  fields: (view) => {
    const g = transposeConvGeometry(view);
    return {
      in_w: g.width,
      in_c: g.channels,
      out_w: g.outWidth,
      out_c: g.outChannels,
      k_h: g.kernel[0],
      k_w: g.kernel[1],
      stride_h: view.attrs.stride[0],
      stride_w: view.attrs.stride[1],
      pad_top: g.padTop,
      pad_left: g.padLeft,
    };
  },
};
