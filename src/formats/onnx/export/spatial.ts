import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { Activation } from "../../../ops/common/activation.js";
import type { Padding } from "../../../ops/common/padding.js";
import { windowSpan } from "../../../ops/common/padding.js";
import type { Pool2dAttrs } from "../../../ops/common/pool2d.js";
import type { ResizeAttrs } from "../../../ops/common/resize.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import type { OpName } from "../../../ops/index.js";
import { bandedConv, type Depthwise, hasBandedConv } from "./banded.js";
import type { ExportContext, Lower } from "./context.js";
import { reducedAxes } from "./elementwise.js";
import { channelsFirst, nchw } from "./layouts.js";
import { activated } from "./operands.js";
import { type Window, windowAttributes, windowOf } from "./windows.js";

interface ConvAttrs {
  readonly padding: Padding;
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly activation: Activation;
}

/** Layouts that a filter OHWI, or 1HWO of a depthwise convolution, has as ONNX's OIHW. */
export const filterLayout = { CONV_2D: "0312", DEPTHWISE_CONV_2D: "3012" } as const;

const biasInput = (c: ExportContext, view: NodeView<never>, index: number): readonly string[] => {
  const bias = view.inputs[index];
  return bias ? [c.take(bias, "0")] : [];
};

/** A depthwise convolution that is faster by products of matrices, or null. */
function depthwiseOf(x: Tensor, w: Tensor, y: Tensor, { rows, columns }: Window): Depthwise | null {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const [, outHeight = 1, outWidth = 1, outChannels = 1] = y.shape;
  const d: Depthwise = {
    batch,
    channels,
    size: [height, width],
    outSize: [outHeight, outWidth],
    taps: [w.shape[1] ?? 1, w.shape[2] ?? 1],
    stride: [rows.stride, columns.stride],
    dilation: [rows.dilation, columns.dilation],
    before: [rows.before, columns.before],
  };
  return channels === outChannels && hasBandedConv(d) ? d : null;
}

const convolution =
  (op: "CONV_2D" | "DEPTHWISE_CONV_2D"): Lower =>
  (c, view) => {
    const attrs = view.attrs as ConvAttrs;
    const [x, w, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
    const window = windowOf(x.shape, [w.shape[1] ?? 1, w.shape[2] ?? 1], attrs);
    const channels = x.shape[3] ?? 1;
    if (op === "DEPTHWISE_CONV_2D" && !view.inputs[2]) {
      const banded = depthwiseOf(x, w, y, window);
      // Of weights that are learnt only: a model that is given away should have operators that all runtimes know.
      if (w.data === null && banded !== null) {
        const sums = bandedConv(c, banded, c.take(x, nchw), c.take(w, filterLayout[op]));
        c.give(y, nchw, activated(c, attrs.activation, sums));
        return;
      }
    }
    const group = op === "CONV_2D" ? channels / (w.shape[3] ?? 1) : channels;
    const inputs = [c.take(x, nchw), c.take(w, filterLayout[op]), ...biasInput(c, view, 2)];
    const sums = c.op("Conv", inputs, { ...windowAttributes(window), group });
    c.give(y, nchw, activated(c, attrs.activation, sums));
  };

/** What a transposed convolution needs so that its output has that size: padding after, and rows that nothing reaches. */
export function transposedSpan(
  input: number,
  output: number,
  taps: number,
  stride: number,
  before: number,
  dilation = 1,
) {
  const excess = (input - 1) * stride + (taps - 1) * dilation + 1 - before - output;
  return { before, after: Math.max(excess, 0), more: Math.max(-excess, 0) };
}

const transposeConv: Lower = (c, view) => {
  const { padding, stride, activation } = view.attrs as ConvAttrs & { readonly padding: "SAME" | "VALID" };
  const [w, x, y] = [inputOf(view, 1), inputOf(view, 2), outputOf(view, 0)];
  const spans = [1, 2].map((axis) => {
    const [size, out, taps, step] = [x.shape[axis] ?? 1, y.shape[axis] ?? 1, w.shape[axis] ?? 1, stride[axis - 1] ?? 1];
    return transposedSpan(size, out, taps, step, windowSpan(out, taps, step, 1, padding).before);
  });
  const sums = c.op("ConvTranspose", [c.take(x, nchw), c.take(w, "3012"), ...biasInput(c, view, 3)], {
    kernel_shape: w.shape.slice(1, 3),
    strides: stride,
    pads: [...spans.map((s) => s.before), ...spans.map((s) => s.after)],
    output_padding: spans.map((s) => s.more),
  });
  c.give(y, nchw, activated(c, activation, sums));
};

const pool =
  (op: "MaxPool" | "AveragePool"): Lower =>
  (c, view) => {
    const attrs = view.attrs as Pool2dAttrs;
    const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
    const window = windowOf(x.shape, attrs.kernel, attrs);
    const { dilations: _, ...shape } = windowAttributes(window);
    const isGlobal =
      [1, 2].every((axis) => attrs.kernel[axis - 1] === x.shape[axis]) && shape.pads.every((n) => n === 0);
    const value = c.take(x, nchw);
    const pooled = isGlobal ? c.op(`Global${op}`, [value]) : c.op(op, [value], shape);
    c.give(y, nchw, activated(c, attrs.activation, pooled));
  };

/** True if a MEAN is over height and width of images. */
export const isGlobalMean = (view: NodeView<never>): boolean =>
  inputOf(view, 0).shape.length === 4 && reducedAxes(view).toSorted().join() === "1,2";

/** MEAN over an image is a pool; over anything else what `other` says. */
export const meanLowering =
  (other: Lower): Lower =>
  (c, view) => {
    if (!isGlobalMean(view)) return other(c, view);
    const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
    const pooled = c.op("GlobalAveragePool", [c.take(x, nchw)]);
    if (y.shape.length === 4) c.give(y, nchw, pooled);
    else c.give(y, "01", c.reshape(pooled, y.shape));
  };

const batchNormalization: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const x = inputOf(view, 0);
  const layout = channelsFirst(x.shape.length);
  const constants = [1, 2, 3, 4].map((i) => c.take(inputOf(view, i), "0"));
  const y = c.op("BatchNormalization", [c.take(x, layout), ...constants], { epsilon: { float: epsilon } });
  c.give(outputOf(view, 0), layout, y);
};

const resizeBilinear: Lower = (c, view) => {
  const { alignCorners, halfPixelCenters } = view.attrs as ResizeAttrs;
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const [, height = 1, width = 1] = y.shape;
  const mode = alignCorners ? "align_corners" : halfPixelCenters ? "half_pixel" : "asymmetric";
  const sizes = c.indices([y.shape[0] ?? 1, y.shape[3] ?? 1, height, width]);
  const inputs = [c.take(x, nchw), "", "", sizes];
  c.give(y, nchw, c.op("Resize", inputs, { mode: "linear", coordinate_transformation_mode: mode }));
};

/** Operators of images. */
export const spatialLowerings = {
  CONV_2D: convolution("CONV_2D"),
  DEPTHWISE_CONV_2D: convolution("DEPTHWISE_CONV_2D"),
  TRANSPOSE_CONV: transposeConv,
  MAX_POOL_2D: pool("MaxPool"),
  AVERAGE_POOL_2D: pool("AveragePool"),
  BATCH_NORMALIZATION: batchNormalization,
  RESIZE_BILINEAR: resizeBilinear,
} as const satisfies Partial<Record<OpName, Lower>>;
