import { elementsOf } from "../../../base/dtype.js";
import type { PoolGradientAttrs } from "../../../ops/common/pool-gradients.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import type { OpName } from "../../../ops/index.js";
import type { ExportContext, Lower } from "./context.js";
import { inputGradient, weightsGradient } from "./conv-gradients.js";
import { channelsFirst, nchw } from "./layouts.js";
import { stepOf } from "./operands.js";
import { transposedSpan } from "./spatial.js";

const padsOf = ({ padding: [top, bottom, left, right] }: PoolGradientAttrs): readonly number[] => [
  top,
  left,
  bottom,
  right,
];

/** Each output's gradient to the place that the pool took it from; windows may overlap. */
const maxPoolGradient: Lower = (c, view) => {
  const attrs = view.attrs as PoolGradientAttrs;
  const [dy, x, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const size = elementsOf(x.shape);
  const pool = { kernel_shape: attrs.kernel, strides: attrs.stride, pads: padsOf(attrs) };
  const [, index = ""] = c.writer.node("MaxPool", [c.take(x, nchw)], pool, { outputs: 2 });
  const zeros = c.writer.constant("float32", [size], new Float32Array(size));
  const flat = [c.reshape(index, [-1]), c.reshape(c.take(dy, nchw), [-1])];
  const sums = c.op("ScatterElements", [zeros, ...flat], { axis: 0, reduction: "add" });
  const [n = 1, h = 1, w = 1, channels = 1] = dx.shape;
  c.give(dx, nchw, c.reshape(sums, [n, channels, h, w]));
};

const averagePoolGradient: Lower = (c, view) => {
  const attrs = view.attrs as PoolGradientAttrs;
  const [dy, dx] = [inputOf(view, 0), outputOf(view, 0)];
  const [n = 1, h = 1, w = 1, channels = 1] = dx.shape;
  const value = c.take(dy, nchw);
  const covers = attrs.kernel[0] === h && attrs.kernel[1] === w && attrs.padding.every((p) => p === 0);
  if (covers) {
    const share = c.op("Mul", [value, c.floats([], [1 / (h * w)])]);
    c.give(dx, nchw, c.op("Expand", [share, c.indices([n, channels, h, w])]));
    return;
  }
  const [, oh = 1, ow = 1] = dy.shape;
  const axis = (d: 0 | 1, size: number, out: number) => {
    const [first, taps, stride] = [attrs.padding[2 * d] as number, attrs.kernel[d], attrs.stride[d]];
    const inside = Array.from({ length: out }, (_, o) => {
      const start = o * stride - first;
      return Math.min(start + taps, size) - Math.max(start, 0);
    });
    return { inside, span: transposedSpan(out, size, taps, stride, first) };
  };
  const [rows, columns] = [axis(0, h, oh), axis(1, w, ow)];
  const shares = rows.inside.flatMap((a) => columns.inside.map((b) => 1 / (a * b)));
  const share = c.op("Mul", [value, c.floats([1, 1, oh, ow], shares)]);
  const ones = c.floats(
    [channels, 1, ...attrs.kernel],
    new Array<number>(channels * attrs.kernel[0] * attrs.kernel[1]).fill(1),
  );
  const result = c.op("ConvTranspose", [share, ones], {
    group: channels,
    strides: attrs.stride,
    kernel_shape: attrs.kernel,
    pads: [rows.span.before, columns.span.before, rows.span.after, columns.span.after],
    output_padding: [rows.span.more, columns.span.more],
  });
  c.give(dx, nchw, result);
};

const batchNormalizationTraining: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [x, gamma, beta] = [0, 1, 2].map((i) => inputOf(view, i)) as [never, never, never];
  const layout = channelsFirst(inputOf(view, 0).shape.length);
  // The runtime writes the new statistics where the old ones are, so each node needs old ones of its own, which count
  // for nothing and must only be finite.
  const scale = c.take(gamma, "0");
  const before = [c.op("Sub", [scale, scale]), c.op("Abs", [scale])];
  const inputs = [c.take(x, layout), scale, c.take(beta, "0"), ...before];
  // A momentum of 0 makes the running statistics those of the batch.
  const attributes = { training_mode: 1, momentum: { float: 0 }, epsilon: { float: epsilon } };
  const found = c.writer.node("BatchNormalization", inputs, attributes, { outputs: 3 });
  [layout, "0", "0"].forEach((l, i) => {
    c.give(outputOf(view, i), l, found[i] ?? "");
  });
};

/** What dx = a (dy + b x + offset) is made of, for each channel, from the sums of dy and of dy x. */
function normalizationFactors(
  c: ExportContext,
  given: {
    readonly gamma: string;
    readonly mean: string;
    readonly variance: string;
    readonly sum: string;
    readonly sumX: string;
    readonly epsilon: number;
    readonly count: number;
  },
) {
  const { gamma, mean, variance, sum, sumX } = given;
  const deviation = c.op("Sqrt", [c.op("Add", [variance, c.floats([], [given.epsilon])])]);
  const dGamma = c.op("Div", [c.op("Sub", [sumX, c.op("Mul", [mean, sum])]), deviation]);
  const a = c.op("Div", [gamma, deviation]);
  const share = c.floats([], [-1 / given.count]);
  const b = c.op("Mul", [c.op("Div", [dGamma, deviation]), share]);
  const offset = c.op("Sub", [c.op("Mul", [sum, share]), c.op("Mul", [b, mean])]);
  return { dGamma, a, b, offset };
}

const batchNormalizationGradient: Lower = (c, view) => {
  const { epsilon } = view.attrs as { readonly epsilon: number };
  const [dy, x, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const layout = channelsFirst(x.shape.length);
  const [gamma = "", mean = "", variance = ""] = [2, 3, 4].map((i) => c.take(inputOf(view, i), "0"));
  const [upstream, data] = [c.take(dy, layout), c.take(x, layout)];
  const others = c.indices(Array.from(layout, Number).flatMap((axis, i) => (axis === x.shape.length - 1 ? [] : [i])));
  const sum = c.op("ReduceSum", [upstream, others], { keepdims: 0 });
  const sumX = c.op("ReduceSum", [c.op("Mul", [upstream, data]), others], { keepdims: 0 });
  const channels = inputOf(view, 2).shape[0] ?? 1;
  const count = elementsOf(x.shape) / channels;
  const { dGamma, a, b, offset } = normalizationFactors(c, { gamma, mean, variance, sum, sumX, epsilon, count });
  const spread = (value: string): string =>
    c.reshape(
      value,
      Array.from(layout, (axis) => (Number(axis) === x.shape.length - 1 ? channels : 1)),
    );
  const scaled = c.op("Add", [c.op("Mul", [data, spread(b)]), upstream]);
  const base = stepOf(dx);
  c.give(base, layout, c.op("Add", [scaled, spread(offset)]));
  c.products.set(dx.id, { base, factor: a });
  c.promise(dx, layout, () => c.op("Mul", [c.take(base, layout), spread(a)]));
  c.give(outputOf(view, 1), "0", dGamma);
  c.give(outputOf(view, 2), "0", sum);
};

/** Operators of training, in ONNX's own. */
export const trainingLowerings = {
  CONV_2D_INPUT_GRADIENT: inputGradient,
  CONV_2D_WEIGHTS_GRADIENT: weightsGradient,
  MAX_POOL_2D_GRADIENT: maxPoolGradient,
  AVERAGE_POOL_2D_GRADIENT: averagePoolGradient,
  BATCH_NORMALIZATION_TRAINING: batchNormalizationTraining,
  BATCH_NORMALIZATION_GRADIENT: batchNormalizationGradient,
} as const satisfies Partial<Record<OpName, Lower>>;
