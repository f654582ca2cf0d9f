import { elementsOf } from "../../../base/dtype.js";
import type { Quantization, Tensor } from "../../../ir/graph.js";
import { binary, countTo, noActivation, reduce, select, unary } from "./arithmetic.js";
import type { GraphBuilder } from "./builder.js";
import { compute, float, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";
import { channelsFirst, toFirst, toLast } from "./convolution.js";
import { ceilPadding, type Window, windowSize, windowsOf } from "./windows.js";

type PoolName = "MAX_POOL_2D" | "AVERAGE_POOL_2D";

/** A pool of images with channels last; padding is left out of account. */
function pool2d(b: GraphBuilder, op: PoolName, x: Tensor, rows: Window, columns: Window): Tensor {
  const attrs = {
    padding: [rows.before, rows.after, columns.before, columns.after],
    stride: [rows.stride, columns.stride],
    kernel: [rows.kernel, columns.kernel],
    ...noActivation,
  };
  return b.emit(op, [x], attrs, { quant: x.quant });
}

const still: Window = { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

/** A pool over one to three axes, channels last: a window's is that of its rows' and then of its columns'. */
function pool(b: GraphBuilder, op: PoolName, x: Tensor, windows: readonly Window[]): Tensor {
  const [first = still, second = still, third = still] = windows;
  const [batch = 1] = x.shape;
  const channels = x.shape.at(-1) ?? 1;
  if (windows.length === 2) return pool2d(b, op, x, first, second);
  if (windows.length === 1) {
    const pooled = pool2d(b, op, b.reshape(x, [batch, x.shape[1] ?? 1, 1, channels]), first, still);
    return b.reshape(pooled, [batch, pooled.shape[1] ?? 1, channels]);
  }
  const [depth = 1, height = 1, width = 1] = x.shape.slice(1);
  const flat = pool2d(b, op, b.reshape(x, [batch * depth, height, width, channels]), second, third);
  const [, h = 1, w = 1] = flat.shape;
  const deep = pool2d(b, op, b.reshape(flat, [batch, depth, h * w, channels]), first, still);
  return b.reshape(deep, [batch, deep.shape[1] ?? 1, h, w, channels]);
}

/** Lower than any float that a network computes. */
const lowest = -3.4028234663852886e38;

/**
 * A maximum for every window, tap by tap, with dilation, and where in the file's order of elements it was found. Slow, but
 * without a kernel of its own; `order` says whether columns come before rows in that order.
 */
function maxByTaps(n: OnnxNode, x: Tensor, windows: readonly Window[]): readonly [Tensor, Tensor | null] {
  const { b } = n;
  const sizes = x.shape.slice(1, -1);
  const paddings = [0, 0, ...windows.flatMap((w) => [w.before, w.after]), 0, 0];
  const padded = b.emit("PADV2", [x, b.constant("int32", [x.shape.length, 2], paddings), b.scalar(lowest)]);
  const outputs = windows.map((w, d) => windowSize(sizes[d] ?? 1, w));
  const taps = elementsOf(windows.map((w) => w.kernel));
  const work = taps * elementsOf([...outputs, x.shape[0] ?? 1, x.shape.at(-1) ?? 1]);
  requireOption(
    n,
    taps <= 8192 && work <= 2 ** (n.wants(1) ? 22 : 27),
    "kernel_shape",
    `${taps} elements`,
    "a smaller window where it is dilated or indices are asked for",
  );
  const [batch = 1, channels = 1] = [x.shape[0], x.shape.at(-1)];
  const isColumnMajor = n.attr.int("storage_order", 0) === 1;
  const steps = isColumnMajor
    ? sizes.map((_, d) => elementsOf(sizes.slice(0, d)))
    : sizes.map((_, d) => elementsOf(sizes.slice(d + 1)));
  const shape = [batch, ...outputs, channels];
  let best: readonly [Tensor, Tensor | null] | null = null;
  for (let tap = 0; tap < taps; tap++) {
    const at = windows.map(
      (w, d) => Math.floor(tap / elementsOf(windows.slice(d + 1).map((v) => v.kernel))) % w.kernel,
    );
    const values = b.slice(padded, [
      { begin: 0, end: batch, stride: 1 },
      ...windows.map((w, d) => {
        const begin = (at[d] ?? 0) * w.dilation;
        return { begin, end: begin + ((outputs[d] ?? 1) - 1) * w.stride + 1, stride: w.stride };
      }),
      { begin: 0, end: channels, stride: 1 },
    ]);
    const index = countTo(n.wants(1) ? elementsOf(shape) : 0).map((i) => {
      const channel = i % channels;
      const image = Math.floor(i / (channels * elementsOf(outputs)));
      const place = outputs.reduce((sum, size, d) => {
        const o = Math.floor(i / (channels * elementsOf(outputs.slice(d + 1)))) % size;
        const w = windows[d] as Window;
        return sum + (o * w.stride + (at[d] ?? 0) * w.dilation - w.before) * (steps[d] ?? 1);
      }, 0);
      return (image * channels + channel) * elementsOf(sizes) + place;
    });
    const indices = n.wants(1) ? b.constant("int32", shape, index) : null;
    if (best === null) best = [values, indices];
    else {
      const isMore: Tensor | null = indices && binary(b, "GREATER", values, best[0]);
      const where: Tensor | null = isMore && best[1] && indices ? select(b, isMore, indices, best[1]) : null;
      best = [binary(b, "MAXIMUM", best[0], values), where];
    }
  }
  return best ?? b.giveUp();
}

function checkRank(n: OnnxNode, x: Tensor): void {
  requireOption(n, x.shape.length >= 3 && x.shape.length <= 5, "rank", x.shape.length, "3, 4 or 5");
}

function maxPool(n: OnnxNode): readonly Tensor[] {
  const x = n.input(0);
  checkRank(n, x);
  const sizes = x.shape.slice(2);
  const given = windowsOf(n, sizes, n.attr.ints("kernel_shape", []));
  const extra = ceilPadding(n, sizes, given);
  const windows = given.map((w, d) => ({ ...w, after: w.after + (extra[d] ?? 0) }));
  const last = toLast(n.b, x);
  const isPlain = windows.every((w) => w.dilation === 1 && w.before < w.kernel && w.after < w.kernel);
  if (isPlain && !n.wants(1)) return [toFirst(n.b, pool(n.b, "MAX_POOL_2D", last, windows))];
  if (x.quant !== null) n.b.giveUp();
  const [values, indices] = maxByTaps(n, last, windows);
  return [toFirst(n.b, values), ...(indices ? [toFirst(n.b, indices)] : [])];
}

/** Zeros around an image with channels last, where a pool counts them. */
function padded(b: GraphBuilder, x: Tensor, windows: readonly Window[]): Tensor {
  if (windows.every((w) => w.before + w.after === 0)) return x;
  const paddings = [0, 0, ...windows.flatMap((w) => [w.before, w.after]), 0, 0];
  return b.emit("PAD", [x, b.constant("int32", [x.shape.length, 2], paddings)], {}, { quant: x.quant });
}

/** An average of windows with channels last, over what lies in the image, or over all of the window. */
function averages(n: OnnxNode, x: Tensor, includesPadding: "includes padding" | "image only"): Tensor {
  const sizes = x.shape.slice(1, -1);
  const windows = windowsOf(n, sizes, n.attr.ints("kernel_shape", []));
  requireOption(
    n,
    windows.every((w) => w.dilation === 1),
    "dilations",
    windows.map((w) => w.dilation),
    "1",
  );
  const extra = ceilPadding(n, sizes, windows);
  const isWhole = includesPadding === "includes padding";
  const data = isWhole ? padded(n.b, x, windows) : x;
  const moved = windows.map((w, d) =>
    isWhole ? { ...w, before: 0, after: extra[d] ?? 0 } : { ...w, after: w.after + (extra[d] ?? 0) },
  );
  // The average of averages is that of all only where all are of as many elements.
  const isEven = windows.length < 3 || moved.every((w) => w.before + w.after === 0);
  requireOption(n, isEven, "pads of a volume", "not counted", "counted (count_include_pad)");
  return pool(n.b, "AVERAGE_POOL_2D", data, moved);
}

function averagePool(n: OnnxNode): Tensor {
  const x = n.input(0);
  checkRank(n, x);
  const mode = n.attr.int("count_include_pad", 0) === 1 ? "includes padding" : "image only";
  return toFirst(n.b, averages(n, toLast(n.b, x), mode));
}

/** (sum |x|^p)^(1/p), from averages of all of the window. */
function lpPool(n: OnnxNode): Tensor {
  const x = toLast(n.b, n.input(0));
  const p = n.attr.int("p", 2);
  const powers =
    p === 1 ? unary(n.b, "ABS", x) : p === 2 ? binary(n.b, "MUL", x, x) : binary(n.b, "POW", unary(n.b, "ABS", x), p);
  const count = elementsOf(n.attr.ints("kernel_shape", []));
  const sum = binary(n.b, "MUL", averages(n, powers, "includes padding"), count);
  const root = p === 1 ? sum : p === 2 ? unary(n.b, "SQRT", sum) : binary(n.b, "POW", sum, 1 / p);
  return toFirst(n.b, root);
}

/** One value for each channel, axes kept. */
export function globalPool(
  b: GraphBuilder,
  op: "MEAN" | "REDUCE_MAX" | "SUM",
  x: Tensor,
  quant: Quantization | null,
): Tensor {
  const last = toLast(b, x);
  const axes = countTo(x.shape.length - 2).map((d) => d + 1);
  const pooled = reduce(b, op, last, axes, "keep", quant);
  return b.reshape(
    pooled,
    channelsFirst(pooled.shape.length).map((d) => pooled.shape[d] ?? 1),
  );
}

export const pools: readonly OnnxOperator[] = [
  operator({ name: "MaxPool", types: float, quantizable: "moves", limits: "one to three spatial axes", make: maxPool }),
  operator({
    name: "AveragePool",
    types: float,
    quantizable: "moves",
    limits: "one to three spatial axes; no dilation; no padding of volumes that is not counted",
    make: averagePool,
  }),
  operator({ name: "LpPool", types: float, limits: "one to three spatial axes; no dilation", make: lpPool }),
  operator({
    name: "GlobalAveragePool",
    types: float,
    quantizable: "computes",
    make: (n) => globalPool(n.b, "MEAN", n.input(0), n.quant),
  }),
  operator({
    name: "GlobalMaxPool",
    types: float,
    quantizable: "moves",
    make: (n) => globalPool(n.b, "REDUCE_MAX", n.input(0), n.quant),
  }),
  operator({
    name: "GlobalLpPool",
    types: float,
    make: (n) => {
      const [x, p] = [n.input(0), n.attr.int("p", 2)];
      const powers = p === 2 ? binary(n.b, "MUL", x, x) : binary(n.b, "POW", unary(n.b, "ABS", x), p);
      const sum = globalPool(n.b, "SUM", powers, null);
      return p === 2 ? compute(n, "SQRT", [sum]) : binary(n.b, "POW", sum, 1 / p);
    },
  }),
];
