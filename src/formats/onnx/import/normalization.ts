import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { binary, countTo, noActivation, reduce, unary } from "./arithmetic.js";
import { axisOf, float, type OnnxNode, type OnnxOperator, operator } from "./context.js";
import { toFirst, toLast } from "./convolution.js";

/** Data less its mean, and one by the root of its variance and `epsilon`, over axes. */
function standardized(n: OnnxNode, x: Tensor, axes: readonly number[], epsilon: number) {
  const mean = reduce(n.b, "MEAN", x, axes, "keep");
  const variance = reduce(n.b, "MEAN", n.b.emit("SQUARED_DIFFERENCE", [x, mean]), axes, "keep");
  const inverse = unary(n.b, "RSQRT", binary(n.b, "ADD", variance, epsilon));
  return { mean, variance, inverse, result: binary(n.b, "MUL", binary(n.b, "SUB", x, mean), inverse) };
}

/**
 * Scale and shift for each channel, computed now where the statistics are constants. In training mode those of the batch are
 * taken, and running ones come out.
 */
function batchNormalization(n: OnnxNode): readonly Tensor[] {
  const { b } = n;
  const x = n.input(0);
  const [scale, bias, givenMean, givenVariance] = [1, 2, 3, 4].map((i) => n.input(i)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const epsilon = n.attr.float("epsilon", 1e-5);
  const isTraining = n.attr.int("training_mode", 0) === 1;
  const last = toLast(b, x);
  const axes = countTo(last.shape.length - 1);
  const batchMean = isTraining ? reduce(b, "MEAN", last, axes, "drop") : givenMean;
  const batchVariance = isTraining
    ? reduce(b, "MEAN", b.emit("SQUARED_DIFFERENCE", [last, batchMean]), axes, "drop")
    : givenVariance;
  const factor = binary(b, "MUL", scale, unary(b, "RSQRT", binary(b, "ADD", batchVariance, epsilon)));
  const offset = binary(b, "SUB", bias, binary(b, "MUL", batchMean, factor));
  const y = toFirst(b, binary(b, "ADD", binary(b, "MUL", last, factor), offset));
  if (!isTraining) return [y];
  const momentum = n.attr.float("momentum", 0.9);
  const running = (old: Tensor, now: Tensor): Tensor =>
    binary(b, "ADD", binary(b, "MUL", old, momentum), binary(b, "MUL", now, 1 - momentum));
  return [y, running(givenMean, batchMean), running(givenVariance, batchVariance)];
}

/** Scale and shift along the channels, which are last. */
const affine = (n: OnnxNode, x: Tensor, scale: Tensor, bias: Tensor): Tensor =>
  binary(n.b, "ADD", binary(n.b, "MUL", x, scale), bias);

function instanceNormalization(n: OnnxNode): Tensor {
  const last = toLast(n.b, n.input(0));
  const axes = countTo(last.shape.length - 2).map((d) => d + 1);
  const { result } = standardized(n, last, axes, n.attr.float("epsilon", 1e-5));
  return toFirst(n.b, affine(n, result, n.input(1), n.input(2)));
}

/** Scale and bias are one for each channel, or up to operator set 20 one for each group. */
function groupNormalization(n: OnnxNode): Tensor {
  const x = n.input(0);
  const groups = n.attr.int("num_groups", 1);
  const [batch = 1, channels = 1, ...space] = x.shape;
  const grouped = n.b.reshape(x, [batch, groups, elementsOf(x.shape) / batch / groups]);
  const { result } = standardized(n, grouped, [2], n.attr.float("epsilon", 1e-5));
  const each = (t: Tensor): Tensor => {
    if (t.shape[0] === channels) return n.b.reshape(t, [1, channels, 1]);
    const wide = n.b.emit("BROADCAST_TO", [n.b.reshape(t, [groups, 1]), n.b.ints([groups, channels / groups])]);
    return n.b.reshape(wide, [1, channels, 1]);
  };
  const rows = n.b.reshape(result, [batch, channels, elementsOf(space)]);
  return n.b.reshape(affine(n, rows, each(n.input(1)), each(n.input(2))), x.shape);
}

function layerNormalization(n: OnnxNode): readonly Tensor[] {
  const x = n.input(0);
  const axis = axisOf(n, n.attr.int("axis", -1), x.shape.length);
  const axes = countTo(x.shape.length).slice(axis);
  const { mean, inverse, result } = standardized(n, x, axes, n.attr.float("epsilon", 1e-5));
  const scaled = binary(n.b, "MUL", result, n.input(1));
  const bias = n.optional(2);
  return [bias ? binary(n.b, "ADD", scaled, bias) : scaled, mean, inverse];
}

/** x / (bias + alpha * mean of squares over neighbouring channels, those outside counting as 0)^beta. */
function localResponse(n: OnnxNode): Tensor {
  const { b } = n;
  const x = n.input(0);
  const last = toLast(b, x);
  const size = n.attr.int("size", 1);
  const channels = last.shape.at(-1) ?? 1;
  const before = Math.floor((size - 1) / 2);
  const rows = b.reshape(binary(b, "MUL", last, last), [1, elementsOf(last.shape) / channels, channels, 1]);
  const paddings = b.constant("int32", [4, 2], [0, 0, 0, 0, before, size - 1 - before, 0, 0]);
  const padded = size === 1 ? rows : b.emit("PAD", [rows, paddings]);
  const attrs = { padding: "VALID", stride: [1, 1], kernel: [1, size], ...noActivation };
  const means = b.reshape(b.emit("AVERAGE_POOL_2D", [padded], attrs), last.shape);
  const [alpha, beta, bias] = [n.attr.float("alpha", 1e-4), n.attr.float("beta", 0.75), n.attr.float("bias", 1)];
  const base = binary(b, "ADD", binary(b, "MUL", means, alpha), bias);
  return toFirst(b, binary(b, "DIV", last, binary(b, "POW", base, beta)));
}

export const normalizations: readonly OnnxOperator[] = [
  operator({ name: "BatchNormalization", types: float, make: batchNormalization }),
  operator({ name: "InstanceNormalization", types: float, make: instanceNormalization }),
  operator({ name: "GroupNormalization", types: float, make: groupNormalization }),
  operator({ name: "LayerNormalization", types: float, make: layerNormalization }),
  operator({ name: "LRN", types: float, make: localResponse }),
  operator({
    name: "MeanVarianceNormalization",
    types: float,
    make: (n) => {
      const x = n.input(0);
      const axes = n.attr.ints("axes", [0, 2, 3]).map((axis) => axisOf(n, axis, x.shape.length));
      return standardized(n, x, axes, 1e-9).result;
    },
  }),
  operator({
    name: "LpNormalization",
    types: float,
    make: (n) => {
      const [x, p] = [n.input(0), n.attr.int("p", 2)];
      const axis = axisOf(n, n.attr.int("axis", -1), x.shape.length);
      const powers = p === 1 ? unary(n.b, "ABS", x) : binary(n.b, "MUL", x, x);
      const sum = reduce(n.b, "SUM", powers, [axis], "keep");
      return binary(n.b, "DIV", x, p === 1 ? sum : unary(n.b, "SQRT", sum));
    },
  }),
];
