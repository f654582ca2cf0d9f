import { elementsOf } from "../../../../base/dtype.js";
import type { Tensor } from "../../../../ir/graph.js";
import { inputOf, outputOf } from "../../../../ops/common/view.js";
import { blockedDomain, type ExportContext, type Lower, stepOf } from "../context.js";
import { blocked } from "../layouts.js";
import { normalizationFactors } from "../training.js";
import {
  affine,
  type BlockedActivation,
  conv,
  cropped,
  filled,
  isBlockedActivation,
  isImage,
  plain,
  sumAfter,
} from "./words.js";

/*
 * Batch normalization in few passes over its image: sums by a pool and by convolutions of single channels, and all that
 * follows as one convolution of one tap.
 */

/** A value for each channel of each image of blocks, [n, c], without the channels that fill blocks. */
function perImage(c: ExportContext, value: string, [n = 1, , , channels = 1]: readonly number[]): string {
  const all = [n, filled(c, channels)];
  return cropped(c, c.reshape(value, all), all, [n, channels]);
}

/** Sums over each channel of the product of two blocked images: [c]. */
function channelProducts(c: ExportContext, a: string, b: string, shape: readonly number[]): string {
  const [n = 1, h = 1, w = 1, channels = 1] = shape;
  const all = n * filled(c, channels);
  const inputs = [c.reshape(a, [1, all, h, w]), c.reshape(b, [all, 1, h, w])];
  const each = perImage(c, conv(c, inputs, { kernel_shape: [h, w], group: all }), shape);
  return c.op("ReduceSum", [each, c.indices([0])], { keepdims: 0 });
}

/** Means over each channel of a blocked image: [c]. */
const channelMeans = (c: ExportContext, value: string, shape: readonly number[]): string =>
  c.op("ReduceMean", [perImage(c, c.op("GlobalAveragePool", [value], {}, blockedDomain), shape)], {
    axes: [0],
    keepdims: 0,
  });

/** What follows a normalization, where it can be part of it: a sum, an activation, or both. */
interface Tail {
  readonly added: Tensor | null;
  readonly activation: BlockedActivation;
  readonly output: Tensor;
  /** Outputs of the operators that it is made of. */
  readonly outputs: readonly Tensor[];
}

function tailOf(c: ExportContext, y: Tensor): Tail {
  const sum = sumAfter(c, y);
  const output = sum?.output ?? y;
  const [added, outputs] = [sum?.added ?? null, sum ? [sum.output] : []];
  const readers = c.readers(output);
  const reader = readers.length === 1 ? readers[0] : undefined;
  if (reader === undefined || !isBlockedActivation(reader.op)) return { added, activation: "NONE", output, outputs };
  const last = outputOf(reader, 0);
  return { added, activation: reader.op, output: last, outputs: [...outputs, last] };
}

export const batchNormalizationTraining: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  if (!isImage(c, x)) return plain("BATCH_NORMALIZATION_TRAINING")(c, view);
  const channels = x.shape[3] ?? 1;
  const count = elementsOf(x.shape) / channels;
  const [gamma, beta] = [c.take(inputOf(view, 1), "0"), c.take(inputOf(view, 2), "0")];
  const value = c.take(x, blocked);
  const mean = channelMeans(c, value, x.shape);
  const squares = c.op("Mul", [channelProducts(c, value, value, x.shape), c.floats([], [1 / count])]);
  const variance = c.op("Sub", [squares, c.op("Mul", [mean, mean])]);
  const deviation = c.op("Sqrt", [c.op("Add", [variance, c.floats([], [epsilon])])]);
  const factor = c.op("Div", [gamma, deviation]);
  const offset = c.op("Sub", [beta, c.op("Mul", [mean, factor])]);
  const tail = tailOf(c, y);
  for (const t of tail.outputs) c.absorbed.add(t.id);
  const sum = tail.added === null ? undefined : c.take(tail.added, blocked);
  c.give(tail.output, blocked, affine(c, value, factor, offset, channels, { sum, activation: tail.activation }));
  c.give(outputOf(view, 1), "0", mean);
  c.give(outputOf(view, 2), "0", variance);
};

/** dx is left as a product: the convolution before takes the factor into its filter. */
export const batchNormalizationGradient: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [dy, x, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  if (!isImage(c, x)) return plain("BATCH_NORMALIZATION_GRADIENT")(c, view);
  const channels = x.shape[3] ?? 1;
  const count = elementsOf(x.shape) / channels;
  const [gamma = "", mean = "", variance = ""] = [2, 3, 4].map((i) => c.take(inputOf(view, i), "0"));
  const [upstream, data] = [c.take(dy, blocked), c.take(x, blocked)];
  const sum = c.op("Mul", [channelMeans(c, upstream, x.shape), c.floats([], [count])]);
  const sumX = channelProducts(c, data, upstream, x.shape);
  const { dGamma, a, b, offset } = normalizationFactors(c, { gamma, mean, variance, sum, sumX, epsilon, count });
  const base = stepOf(dx);
  c.give(base, blocked, affine(c, data, b, offset, channels, { sum: upstream }));
  c.products.set(dx.id, { base, factor: a });
  c.promise(dx, blocked, () => affine(c, c.take(base, blocked), a, null, channels));
  c.give(outputOf(view, 1), "0", dGamma);
  c.give(outputOf(view, 2), "0", sum);
};
