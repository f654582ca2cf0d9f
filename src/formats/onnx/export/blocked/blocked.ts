import { elementsOf } from "../../../../base/dtype.js";
import type { Tensor } from "../../../../ir/graph.js";
import type { Padding } from "../../../../ops/common/padding.js";
import { constantOf, inputOf, outputOf } from "../../../../ops/common/view.js";
import { blockedDomain, type ExportContext, type Lower } from "../context.js";
import { plainLowerings } from "../export.js";
import { blocked, nchw, nhwc } from "../layouts.js";
import { isGlobalMean } from "../spatial.js";
import { convolution, depthwise, inputGradient } from "./convolution.js";
import { batchNormalizationGradient, batchNormalizationTraining } from "./normalization.js";
import { weightsGradient } from "./weights-gradient.js";
import { conv, cropped, filled, grown, isImage, plain, swapped } from "./words.js";

/** Means of images, NCHW: one pixel of blocks is one of channels. */
function pooledImage(c: ExportContext, x: Tensor): string {
  const [n = 1, , , channels = 1] = x.shape;
  const pooled = c.op("GlobalAveragePool", [c.take(x, blocked)], {}, blockedDomain);
  return cropped(c, pooled, [n, filled(c, channels), 1, 1], [n, channels, 1, 1]);
}

const mean: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  if (!isGlobalMean(view) || !isImage(c, x)) return plain("MEAN")(c, view);
  const pooled = pooledImage(c, x);
  if (y.shape.length === 4) c.give(y, nchw, pooled);
  else c.give(y, "01", c.reshape(pooled, y.shape));
};

const averagePool: Lower = (c, view) => {
  const { kernel, padding, activation } = view.attrs as {
    readonly kernel: readonly [number, number];
    readonly padding: Padding;
    readonly activation: string;
  };
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const covers = kernel[0] === x.shape[1] && kernel[1] === x.shape[2] && padding === "VALID" && activation === "NONE";
  if (!covers || !isImage(c, x)) return plain("AVERAGE_POOL_2D")(c, view);
  c.give(y, nchw, pooledImage(c, x));
};

/** A value for each channel of each image, filled up, repeated over its pixels. */
function spread(c: ExportContext, value: string, [n = 1, h = 1, w = 1, count = 1]: readonly number[]): string {
  const b = c.block;
  const channels = filled(c, count);
  const blocks = c.reshape(value, [n, channels / b, 1, b]);
  return c.reshape(c.op("Expand", [blocks, c.indices([n, channels / b, h * w, b])]), [n, channels, h, w]);
}

const broadcast: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const [n = 1, h, w, channels = 1] = x.shape;
  const perChannel = x.shape.length === 4 && h === 1 && w === 1 && n === y.shape[0] && channels === y.shape[3];
  if (!perChannel || !isImage(c, y)) return plain("BROADCAST_TO")(c, view);
  const value = grown(c, c.take(x, nchw), [n, channels, 1, 1], [n, filled(c, channels), 1, 1]);
  c.flat.set(y.id, value);
  c.promise(y, blocked, () => spread(c, value, y.shape));
};

/** A product with a value for each channel of each image need not repeat it first. */
const product: Lower = (c, view) => {
  const [a, b, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const isPlain = (view.attrs as { readonly activation: string }).activation === "NONE";
  const [flat, image] = c.flat.has(a.id) ? [c.flat.get(a.id), b] : [c.flat.get(b.id), a];
  const usable = isPlain && image.data === null && c.layouts(image).has(blocked);
  if (flat === undefined || !usable || elementsOf(image.shape) !== elementsOf(y.shape)) return plain("MUL")(c, view);
  const [n = 1, h = 1, w = 1, count = 1] = y.shape;
  const channels = filled(c, count);
  const all = n * channels;
  const inputs = [c.reshape(c.take(image, blocked), [1, all, h, w]), c.reshape(flat, [all, 1, 1, 1])];
  c.give(y, blocked, c.reshape(conv(c, inputs, { kernel_shape: [1, 1], group: all }), [n, channels, h, w]));
};

/** Height and width of a network's images in each other's place. */
const transpose: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const [n = 1, h = 1, w = 1, channels = 1] = x.shape;
  const isTurn = x.shape.length === 4 && constantOf(inputOf(view, 1)).join() === "0,2,1,3";
  if (!isTurn || !c.inputs.has(x.id) || n % c.block !== 0) return plain("TRANSPOSE")(c, view);
  c.give(y, nhwc, c.reshape(swapped(c, c.take(x, nhwc), [n, h, w, channels]), y.shape));
};

/**
 * Lowerings to ONNX Runtime's own blocked operators (domain com.microsoft.nchwc), x86 only; plain ones where there are
 * none or where channels do not come in blocks.
 */
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
  MUL: product,
  TRANSPOSE: transpose,
} as const;
