import { elementsOf } from "../../../../base/dtype.js";
import type { Tensor } from "../../../../ir/graph.js";
import { inputOf, outputOf } from "../../../../ops/common/view.js";
import { blockedDomain, type ExportContext, type Lower } from "../context.js";
import { blocked } from "../layouts.js";
import { stepOf } from "../operands.js";
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
 * follows as one convolution of one tap. What is computed for each channel takes few nodes too, for each costs more than
 * its arithmetic: the runtime's own operator for inference is a product by a factor over the deviation, and a sum.
 */

/** A value for each channel of each image of blocks, in images times a weight, summed: [c], or [1, c] as a matrix. */
function channelSums(
  c: ExportContext,
  value: string,
  [n = 1, , , channels = 1]: readonly number[],
  weight: number,
  shape: "vector" | "matrix" = "vector",
): string {
  const all = filled(c, channels);
  const front = shape === "vector" ? [] : [1];
  const weights = c.floats([...front, n], new Array<number>(n).fill(weight));
  return cropped(c, c.op("MatMul", [weights, c.reshape(value, [n, all])]), [...front, all], [...front, channels]);
}

/** Means over the pixels of each channel of each image. */
const pooled = (c: ExportContext, value: string): string => c.op("GlobalAveragePool", [value], {}, blockedDomain);

/** Sums over the pixels of each channel of each image of the product of two blocked images. */
function products(
  c: ExportContext,
  a: string,
  b: string,
  [n = 1, h = 1, w = 1, channels = 1]: readonly number[],
): string {
  const all = n * filled(c, channels);
  return conv(c, [c.reshape(a, [1, all, h, w]), c.reshape(b, [all, 1, h, w])], { kernel_shape: [h, w], group: all });
}

/** (x - mean) factor / sqrt(variance + epsilon) + offset: [1, c] of x [1, c] and vectors [c]; a number is the same for all. */
function scaled(
  c: ExportContext,
  x: string | number,
  given: Readonly<Record<"factor" | "offset" | "mean" | "variance", string | number>>,
  { epsilon, channels }: { readonly epsilon: number; readonly channels: number },
): string {
  const all = (value: string | number, shape: readonly number[]): string =>
    typeof value === "string" ? value : c.floats(shape, new Array<number>(channels).fill(value));
  const vectors = [given.factor, given.offset, given.mean, given.variance].map((value) => all(value, [channels]));
  return c.op("BatchNormalization", [all(x, [1, channels]), ...vectors], { epsilon: { float: epsilon } });
}

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
  const [images = 1, , , channels = 1] = x.shape;
  const pixels = elementsOf(x.shape) / channels;
  const [gamma, beta] = [c.take(inputOf(view, 1), "0"), c.take(inputOf(view, 2), "0")];
  const value = c.take(x, blocked);
  const mean = channelSums(c, pooled(c, value), x.shape, 1 / images);
  const squares = channelSums(c, products(c, value, value, x.shape), x.shape, 1 / pixels);
  const variance = c.op("Sub", [squares, c.op("Mul", [mean, mean])]);
  const sizes = { epsilon, channels };
  const factor = scaled(c, 1, { factor: gamma, offset: 0, mean: 0, variance }, sizes);
  const offset = scaled(c, 0, { factor: gamma, offset: beta, mean, variance }, sizes);
  const tail = tailOf(c, y);
  for (const t of tail.outputs) c.absorbed.add(t.id);
  const sum = tail.added === null ? undefined : c.take(tail.added, blocked);
  c.give(tail.output, blocked, affine(c, value, factor, offset, channels, { sum, activation: tail.activation }));
  if (sum === undefined)
    c.again(tail.output, () =>
      affine(c, value, factor, offset, channels, { activation: tail.activation, again: true }),
    );
  c.give(outputOf(view, 1), "0", mean);
  c.give(outputOf(view, 2), "0", variance);
};

/** dx is left as a product: the convolution before takes the factor into its filter. */
export const batchNormalizationGradient: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [dy, x, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  if (!isImage(c, x)) return plain("BATCH_NORMALIZATION_GRADIENT")(c, view);
  c.recompute();
  const [images = 1, , , channels = 1] = x.shape;
  const pixels = elementsOf(x.shape) / channels;
  const [gamma = "", mean = "", variance = ""] = [2, 3, 4].map((i) => c.take(inputOf(view, i), "0"));
  const [upstream, data] = [c.take(dy, blocked), c.take(x, blocked)];
  const sizes = { epsilon, channels };
  const sum = channelSums(c, pooled(c, upstream), x.shape, pixels / images);
  const sumX = channelSums(c, products(c, data, upstream, x.shape), x.shape, 1, "matrix");
  const factor = scaled(c, 1, { factor: gamma, offset: 0, mean: 0, variance }, sizes);
  const dGamma = scaled(c, sumX, { factor: 1, offset: 0, mean: c.op("Mul", [mean, sum]), variance }, sizes);
  // dx = factor (dy + slope x + offset)
  const slope = scaled(c, dGamma, { factor: -1 / pixels, offset: 0, mean: 0, variance }, sizes);
  const negative = c.op("Mul", [sum, c.floats([], [-1 / pixels])]);
  const offset = c.op("Sub", [negative, c.op("Mul", [slope, mean])]);
  const base = stepOf(dx);
  c.give(base, blocked, affine(c, data, slope, offset, channels, { sum: upstream }));
  c.products.set(dx.id, { base, factor });
  c.promise(dx, blocked, () => affine(c, c.take(base, blocked), factor, null, channels));
  c.give(outputOf(view, 1), "0", c.reshape(dGamma, [channels]));
  c.give(outputOf(view, 2), "0", sum);
};
