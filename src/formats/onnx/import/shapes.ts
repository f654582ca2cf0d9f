import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { computedDtypeOf, typeName } from "../proto.js";
import { binary, castTo, countTo, noActivation, select } from "./arithmetic.js";
import { any, axesOf, axisOf, number, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";

/** An operator that only moves elements. */
const mover = (name: string, make: OnnxOperator["make"], limits = ""): OnnxOperator =>
  operator({ name, types: any, quantizable: "moves", limits, takesSaturated: true, make });

const product = (shape: readonly number[]): number => elementsOf(shape);

/** 0 keeps the input's size, unless `allowzero`; -1 is what is left. */
function reshape(n: OnnxNode): Tensor {
  const x = n.input(0);
  const wanted = n.attr.ints("shape", undefined) ?? n.constants(1, "shape");
  const isZero = n.attr.int("allowzero", 0) === 1;
  const sizes = wanted.map((s, d) => (s === 0 && !isZero ? (x.shape[d] ?? 0) : s));
  const known = product(sizes.filter((s) => s !== -1));
  const shape = sizes.map((s) => (s === -1 ? product(x.shape) / known : s));
  const fits = shape.every((s) => Number.isInteger(s) && s >= 0) && product(shape) === product(x.shape);
  if (!fits)
    n.refuse("TH2005", {
      found: `[${x.shape.join(", ")}] to [${wanted.join(", ")}]`,
      expected: "as many elements",
      fix: "export the model with the batch size it will run with, or state input shapes with --shape",
    });
  return n.b.reshape(x, shape);
}

function flatten(n: OnnxNode): Tensor {
  const x = n.input(0);
  const given = n.attr.int("axis", 1);
  const axis = given < 0 ? given + x.shape.length : given;
  requireOption(n, axis >= 0 && axis <= x.shape.length, "axis", given, `between 0 and ${x.shape.length}`);
  return n.b.reshape(x, [product(x.shape.slice(0, axis)), product(x.shape.slice(axis))]);
}

function squeeze(n: OnnxNode): Tensor {
  const x = n.input(0);
  const axes = axesOf(n, 1, x.shape.length) ?? countTo(x.shape.length).filter((d) => x.shape[d] === 1);
  requireOption(
    n,
    axes.every((d) => x.shape[d] === 1),
    "axes",
    axes,
    "axes of size 1",
  );
  return n.b.reshape(
    x,
    x.shape.filter((_, d) => !axes.includes(d)),
  );
}

function unsqueeze(n: OnnxNode): Tensor {
  const x = n.input(0);
  const given = n.attr.ints("axes", undefined) ?? n.constants(1, "axes");
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => axisOf(n, axis, rank));
  requireOption(n, new Set(axes).size === axes.length, "axes", given, "axes that differ");
  let next = 0;
  return n.b.reshape(
    x,
    countTo(rank).map((d) => (axes.includes(d) ? 1 : (x.shape[next++] ?? 1))),
  );
}

function transpose(n: OnnxNode): Tensor {
  const x = n.input(0);
  return n.b.transpose(x, n.attr.ints("perm", undefined) ?? countTo(x.shape.length).toReversed());
}

function concat(n: OnnxNode): Tensor {
  const inputs = Array.from({ length: n.inputCount }, (_, i) => n.input(i)).filter(
    (t) => !t.shape.includes(0) || t.data === null,
  );
  const [first] = inputs;
  if (first === undefined || inputs.length === 1) return first ?? n.input(0);
  const axis = axisOf(n, n.attr.int("axis", 1), first.shape.length);
  return n.b.emit("CONCATENATION", inputs, { axis, ...noActivation }, { quant: n.quant });
}

/** Sizes of the parts: given, or equal ones of which the last may be smaller. */
function splitSizes(n: OnnxNode, size: number): readonly number[] {
  const given = n.attr.ints("split", undefined) ?? (n.has(1) ? n.constants(1, "split") : undefined);
  if (given !== undefined) return given;
  const count = n.attr.int("num_outputs", n.outputCount);
  const part = Math.ceil(size / count);
  return countTo(count).map((i) => Math.max(Math.min(part, size - i * part), 0));
}

function split(n: OnnxNode): readonly Tensor[] {
  const x = n.input(0);
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const sizes = splitSizes(n, x.shape[axis] ?? 0);
  // A part of nothing is a constant of nothing.
  const empty = (): Tensor => n.b.constant(x.dtype, x.shape.with(axis, 0), [], x.quant);
  const taken = sizes.filter((s) => s > 0);
  if (taken.length < 2) return sizes.map((s) => (s > 0 ? x : empty()));
  const parts = n.b.emitAll(
    "SPLIT_V",
    [x, n.b.ints(taken), n.b.scalar(axis, "int32")],
    { count: taken.length },
    taken.map(() => ({ dtype: x.dtype, quant: x.quant })),
  );
  let next = 0;
  return sizes.map((s) => (s > 0 ? (parts[next++] as Tensor) : empty()));
}

/** Where a slice of an axis begins and ends, -1 being before the first element of a negative stride. */
function sliceOf(size: number, start: number, end: number, stride: number) {
  const from = (index: number): number => (index < 0 ? index + size : index);
  const limit = (index: number, low: number, high: number): number => Math.min(Math.max(index, low), high);
  if (stride > 0) return { begin: limit(from(start), 0, size), end: limit(from(end), 0, size), stride };
  return { begin: limit(from(start), 0, size - 1), end: limit(from(end), -1, size - 1), stride };
}

function slice(n: OnnxNode): Tensor {
  const x = n.input(0);
  const starts = n.attr.ints("starts", undefined) ?? n.constants(1, "starts");
  const ends = n.attr.ints("ends", undefined) ?? n.constants(2, "ends");
  const axes = axesOf(n, 3, x.shape.length) ?? countTo(starts.length);
  const steps = n.has(4) ? n.constants(4, "steps") : starts.map(() => 1);
  requireOption(
    n,
    steps.every((s) => s !== 0) && [ends, axes, steps].every((list) => list.length === starts.length),
    "steps",
    steps,
    "not 0, one for each axis",
  );
  const taken = x.shape.map((size, d) => {
    const i = axes.indexOf(d);
    return i < 0 ? { begin: 0, end: size, stride: 1 } : sliceOf(size, starts[i] ?? 0, ends[i] ?? size, steps[i] ?? 1);
  });
  const shape = taken.map((s) => Math.max(Math.ceil((s.end - s.begin) / s.stride), 0));
  if (shape.includes(0)) return n.b.constant(x.dtype, shape, [], x.quant);
  return n.b.slice(x, taken);
}

/** Amounts before and after each axis. */
function padAmounts(n: OnnxNode, rank: number): readonly (readonly [number, number])[] {
  const flat = n.attr.ints("pads", undefined) ?? n.attr.ints("paddings", undefined) ?? n.constants(1, "pads");
  const axes = n.has(3) ? n.constants(3, "axes").map((axis) => axisOf(n, axis, rank)) : countTo(rank);
  return countTo(rank).map((d) => {
    const i = axes.indexOf(d);
    return i < 0 ? [0, 0] : [flat[i] ?? 0, flat[i + axes.length] ?? 0];
  });
}

/** Indices of the elements that a padded axis shows, by one of the modes that repeat. */
function paddedIndices(size: number, before: number, after: number, mode: string): readonly number[] {
  return countTo(before + size + after).map((i) => {
    const at = i - before;
    if (mode === "edge") return Math.min(Math.max(at, 0), size - 1);
    if (mode === "wrap") return ((at % size) + size) % size;
    const period = Math.max(2 * (size - 1), 1);
    const folded = ((at % period) + period) % period;
    return folded < size ? folded : period - folded;
  });
}

function pad(n: OnnxNode): Tensor {
  const x = n.input(0);
  const mode = n.attr.text("mode", "constant");
  const amounts = padAmounts(n, x.shape.length);
  requireOption(
    n,
    ["constant", "reflect", "edge", "wrap"].includes(mode),
    "mode",
    mode,
    "constant, reflect, edge or wrap",
  );
  const cut = n.b.slice(
    x,
    x.shape.map((size, d) => ({
      begin: Math.max(-(amounts[d]?.[0] ?? 0), 0),
      end: size - Math.max(-(amounts[d]?.[1] ?? 0), 0),
      stride: 1,
    })),
  );
  const grown = amounts.map(([before, after]): readonly [number, number] => [Math.max(before, 0), Math.max(after, 0)]);
  if (grown.every(([before, after]) => before + after === 0)) return cut;
  if (mode !== "constant")
    return grown.reduce((t, [before, after], axis) => {
      if (before + after === 0) return t;
      const indices = n.b.ints(paddedIndices(t.shape[axis] ?? 1, before, after, mode));
      return n.b.emit("GATHER", [t, indices], { axis, batchDims: 0 }, { quant: t.quant });
    }, cut);
  const paddings = n.b.constant("int32", [grown.length, 2], grown.flat());
  const given = n.optional(2);
  const value = given === null ? n.attr.float("value", 0) : (given.data?.[0] ?? null);
  if (value !== null && Number(value) === 0) return n.b.emit("PAD", [cut, paddings], {}, { quant: cut.quant });
  if (cut.quant !== null) n.b.giveUp();
  const filling = given === null ? n.b.scalar(Number(value), cut.dtype) : n.b.reshape(given, []);
  return n.b.emit("PADV2", [cut, paddings, filling], {});
}

/** Sizes as a constant, of the axes from `start` to `end`. */
function shapeOf(n: OnnxNode): Tensor {
  const { shape } = n.input(0);
  const from = n.attr.int("start", 0);
  const to = n.attr.int("end", shape.length);
  return n.b.ints(shape.slice(from, to));
}

function expand(n: OnnxNode): Tensor {
  const x = n.input(0);
  const wanted = n.constants(1, "shape");
  const rank = Math.max(x.shape.length, wanted.length);
  const shape = countTo(rank).map((d) => {
    const [a, w] = [x.shape[d - rank + x.shape.length] ?? 1, wanted[d - rank + wanted.length] ?? 1];
    return a === 1 ? w : a;
  });
  if (product(shape) === product(x.shape)) return n.b.reshape(x, shape);
  return n.b.emit("BROADCAST_TO", [x, n.b.ints(shape)], {}, { quant: x.quant });
}

/** The type of a conversion; gives up the operator for one that there is not. */
function targetType(n: OnnxNode, code: number) {
  const dtype = computedDtypeOf(code);
  if (dtype === null || dtype === "int8" || dtype === "int16")
    return n.refuse("TH2004", {
      found: `conversion to ${typeName(code)}`,
      expected: "FLOAT, DOUBLE, FLOAT16, INT32, INT64, UINT8 or BOOL",
      fix: "convert to one of these types",
    });
  return dtype;
}

/** Depth to space in the order of the channels that PyTorch uses (CRD), by a transposition of six axes. */
function depthToSpace(n: OnnxNode): Tensor {
  const x = n.input(0);
  const block = n.attr.int("blocksize", 1);
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  requireOption(
    n,
    x.shape.length === 4 && block > 0 && channels % (block * block) === 0,
    "blocksize",
    block,
    "one whose square divides the channels",
  );
  if (n.attr.text("mode", "DCR") === "DCR") {
    const last = n.b.transpose(x, [0, 2, 3, 1]);
    return n.b.transpose(n.b.emit("DEPTH_TO_SPACE", [last], { block }, { quant: x.quant }), [0, 3, 1, 2]);
  }
  const depth = channels / (block * block);
  const parts = n.b.reshape(x, [batch, depth, block, block, height, width]);
  const moved = n.b.transpose(parts, [0, 1, 4, 2, 5, 3]);
  return n.b.reshape(moved, [batch, depth, height * block, width * block]);
}

function spaceToDepth(n: OnnxNode): Tensor {
  const x = n.input(0);
  const block = n.attr.int("blocksize", 1);
  requireOption(n, x.shape.length === 4 && block > 0, "blocksize", block, "at least 1, of an image");
  const last = n.b.transpose(x, [0, 2, 3, 1]);
  return n.b.transpose(n.b.emit("SPACE_TO_DEPTH", [last], { block }, { quant: x.quant }), [0, 3, 1, 2]);
}

/** The triangle of the last two axes above or below a diagonal; the rest is 0. */
function trilu(n: OnnxNode): Tensor {
  const x = n.input(0);
  const [rows = 1, columns = 1] = x.shape.slice(-2);
  const k = n.has(1) ? (n.constants(1, "k")[0] ?? 0) : 0;
  const isUpper = n.attr.int("upper", 1) === 1;
  const kept = countTo(rows * columns).map((i) => {
    const offset = (i % columns) - Math.floor(i / columns);
    return Number(isUpper ? offset >= k : offset <= k);
  });
  if (x.shape.includes(0)) return x;
  return select(n.b, n.b.constant("bool", [rows, columns], kept), x, n.b.scalar(0, x.dtype));
}

export const shapes: readonly OnnxOperator[] = [
  mover("Reshape", reshape, "the shape must be a constant"),
  mover("Flatten", flatten),
  mover("Squeeze", squeeze, "axes must be constants"),
  mover("Unsqueeze", unsqueeze, "axes must be constants"),
  mover("Transpose", transpose),
  mover("Concat", concat),
  mover("Split", split, "sizes must be constants"),
  mover("Slice", slice, "starts, ends and steps must be constants"),
  mover("Pad", pad, "amounts must be constants"),
  mover(
    "Tile",
    (n) => {
      const x = n.input(0);
      // Up to operator set 5 one axis was tiled.
      const times =
        n.opset < 6
          ? x.shape.map((_, d) => (d === n.constants(2, "axis")[0] ? (n.constants(1, "tiles")[0] ?? 1) : 1))
          : n.constants(1, "repeats");
      // One axis after another: a kernel loops over six, of which every repeated one takes two.
      return times.reduce((t, count, d) => {
        const only = n.b.ints(times.map((_, k) => (k === d ? count : 1)));
        return count === 1 ? t : n.b.emit("TILE", [t, only], {}, { quant: x.quant });
      }, x);
    },
    "repeats must be constants",
  ),
  mover("Expand", expand, "the shape must be a constant"),
  mover("DepthToSpace", depthToSpace),
  mover("SpaceToDepth", spaceToDepth),
  operator({ name: "Trilu", types: [...number, "bool"], limits: "k must be a constant", make: trilu }),
  operator({ name: "Shape", types: any, takesSaturated: true, make: shapeOf }),
  operator({
    name: "Size",
    types: any,
    takesSaturated: true,
    make: (n) => n.b.scalar(product(n.input(0).shape), "int32"),
  }),
  operator({
    name: "Cast",
    types: ["float32", "int32", "bool", "uint8"],
    limits: "to float, int32, uint8 and bool and what is computed as one of these",
    make: (n) => castTo(n.b, n.input(0), targetType(n, n.attr.int("to", 1))),
  }),
  operator({
    name: "CastLike",
    types: ["float32", "int32", "bool", "uint8"],
    limits: "as Cast",
    make: (n) => castTo(n.b, n.input(0), n.input(1).dtype),
  }),
  operator({
    name: "EyeLike",
    types: number,
    make: (n) => {
      const [rows = 1, columns = 1] = n.input(0).shape;
      const dtype = n.attr.has("dtype") ? targetType(n, n.attr.int("dtype", 1)) : n.input(0).dtype;
      const k = n.attr.int("k", 0);
      const values = countTo(rows * columns).map((i) => Number((i % columns) - Math.floor(i / columns) === k));
      return n.b.constant(dtype, [rows, columns], values);
    },
  }),
];

/** Compares with every index of an axis: a bool for each. */
export const isIndex = (n: OnnxNode, indices: Tensor, count: number): Tensor =>
  binary(n.b, "EQUAL", n.b.reshape(indices, [...indices.shape, 1]), n.b.ints(countTo(count)));
