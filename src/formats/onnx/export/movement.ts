import { elementsOf } from "../../../base/dtype.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import { moverSources } from "../../../ops/common/gradients.js";
import { constantOf, inputOf, outputOf } from "../../../ops/common/view.js";
import { findOp, type OpName } from "../../../ops/index.js";
import type { ExportContext, Lower } from "./context.js";
import { blocked, identity, int64s, type Layout, nchw, place } from "./layouts.js";
import { commonLayout, operand } from "./operands.js";

/** A layout that axes can be named in. */
export const plainHome = (c: ExportContext, tensor: Tensor): Layout =>
  c.home(tensor) === blocked ? nchw : c.home(tensor);

/** The same elements in the graph's own order, under the output's shape. */
const view: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const value = c.take(input, identity(input.shape.length));
  const same = input.shape.join() === output.shape.join();
  c.give(output, identity(output.shape.length), same ? value : c.reshape(value, output.shape));
};

const alias: Lower = (c, v) => {
  for (const layout of c.layouts(inputOf(v, 0)).keys())
    c.promise(outputOf(v, 0), layout, () => c.take(inputOf(v, 0), layout));
};

/** Axes of another order are another layout of the same value. */
const transpose: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const order = constantOf(inputOf(v, 1));
  const layout = plainHome(c, input);
  const renamed = Array.from(layout, (axis) => order.indexOf(Number(axis))).join("");
  c.give(output, renamed, c.take(input, layout));
};

/** Any selection of elements by constants, one index for each. */
const gathered: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const reference = findOp(v.op)?.reference;
  const from = moverSources(v, reference as never);
  const flat = c.reshape(c.take(input, identity(input.shape.length)), [elementsOf(input.shape)]);
  const index = c.writer.constant("int64", output.shape, int64s([...from]));
  c.give(output, identity(output.shape.length), c.op("Gather", [flat, index], { axis: 0 }));
};

const concatenation: Lower = (c, v) => {
  const output = outputOf(v, 0);
  const { axis } = v.attrs as { readonly axis: number };
  const layout = plainHome(c, v.inputs.find((t) => t?.data === null) ?? inputOf(v, 0));
  const inputs = v.inputs.map((_, i) => c.take(inputOf(v, i), layout));
  const at = place(axis < 0 ? axis + output.shape.length : axis, layout);
  c.give(output, layout, c.op("Concat", inputs, { axis: at }));
};

/** Parts along an axis. */
function split(c: ExportContext, v: NodeView<never>, input: Tensor, axis: number): void {
  const layout = plainHome(c, input);
  const positive = axis < 0 ? axis + input.shape.length : axis;
  const sizes = c.indices(v.outputs.map((t) => t.shape[positive] ?? 0));
  const parts = c.writer.node(
    "Split",
    [c.take(input, layout), sizes],
    { axis: place(positive, layout) },
    { outputs: v.outputs.length },
  );
  v.outputs.forEach((t, i) => {
    c.give(t, layout, parts[i] ?? "");
  });
}

const slice: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const layout = plainHome(c, input);
  const begin = constantOf(inputOf(v, 1));
  const axes = [...input.shape.keys()].filter((d) => input.shape[d] !== output.shape[d]);
  const ends = axes.map((d) => (begin[d] ?? 0) + (output.shape[d] ?? 0));
  const parameters = [axes.map((d) => begin[d] ?? 0), ends, axes.map((d) => place(d, layout))];
  const value = c.take(input, layout);
  c.give(output, layout, axes.length === 0 ? value : c.op("Slice", [value, ...parameters.map(c.indices)]));
};

/** Zeros, or a value, around; the layout's axes all before, then all after. */
const pad =
  (value: (v: NodeView<never>) => Tensor | null): Lower =>
  (c, v) => {
    const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
    const layout = plainHome(c, input);
    const amounts = constantOf(inputOf(v, 1));
    const side = (after: 0 | 1): readonly number[] =>
      Array.from(layout, (axis) => amounts[2 * Number(axis) + after] ?? 0);
    const given = value(v);
    const inputs = [
      c.take(input, layout),
      c.indices([...side(0), ...side(1)]),
      ...(given ? [operand(c, given, 0, "")] : []),
    ];
    c.give(output, layout, c.op("Pad", inputs));
  };

const pack: Lower = (c, v) => {
  const output = outputOf(v, 0);
  const { axis } = v.attrs as { readonly axis: number };
  const at = axis < 0 ? axis + output.shape.length : axis;
  const shape = output.shape.with(at, 1);
  const parts = v.inputs.map((_, i) => c.reshape(c.take(inputOf(v, i), identity(shape.length - 1)), shape));
  c.give(output, identity(output.shape.length), c.op("Concat", parts, { axis: at }));
};

const unpack: Lower = (c, v) => {
  const input = inputOf(v, 0);
  const { axis } = v.attrs as { readonly axis: number };
  const at = axis < 0 ? axis + input.shape.length : axis;
  const sizes = c.indices(v.outputs.map(() => 1));
  const value = c.take(input, identity(input.shape.length));
  const parts = c.writer.node("Split", [value, sizes], { axis: at }, { outputs: v.outputs.length });
  v.outputs.forEach((t, i) => {
    c.give(t, identity(t.shape.length), c.reshape(parts[i] ?? "", t.shape));
  });
};

const integer = (c: ExportContext, like: Tensor, value: number): string =>
  like.dtype === "int64"
    ? c.writer.constant("int64", [], int64s([value]))
    : c.writer.constant("int32", [], Int32Array.of(value));

const gather: Lower = (c, v) => {
  const { axis, batchDims } = v.attrs as { readonly axis: number; readonly batchDims: number };
  const [input, index, output] = [inputOf(v, 0), inputOf(v, 1), outputOf(v, 0)];
  if (batchDims !== 0) return gathered(c, v);
  const at = axis < 0 ? axis + input.shape.length : axis;
  const given = c.take(index, identity(index.shape.length));
  // TensorFlow Lite limits indices to the axis.
  const limits = index.data === null ? [0, (input.shape[at] ?? 1) - 1].map((n) => integer(c, index, n)) : [];
  const inside = limits.length === 0 ? given : c.op("Clip", [given, ...limits]);
  const inputs = [c.take(input, identity(input.shape.length)), inside];
  c.give(output, identity(output.shape.length), c.op("Gather", inputs, { axis: at }));
};

const broadcast: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const rank = output.shape.length;
  const layout = input.shape.length === rank ? commonLayout(c, { ...v, inputs: [input] }, output) : identity(rank);
  const plain = layout === blocked ? nchw : layout;
  const shape = c.indices(Array.from(plain, (axis) => output.shape[Number(axis)] ?? 1));
  c.give(output, plain, c.op("Expand", [operand(c, input, rank, plain), shape]));
};

/** Adds up at flat places; what is dropped goes to one place more, which is cut off. */
const scatterAdd: Lower = (c, v) => {
  const [input, output] = [inputOf(v, 0), outputOf(v, 0)];
  const size = elementsOf(output.shape);
  const index = Array.from(inputOf(v, 1).data as Int32Array);
  const zeros = c.writer.constant("float32", [size + 1], new Float32Array(size + 1));
  const places = c.writer.constant("int64", [index.length], int64s(index.map((i) => (i < 0 ? size : i))));
  const flat = c.reshape(c.take(input, identity(input.shape.length)), [index.length]);
  const sums = c.op("ScatterElements", [zeros, places, flat], { axis: 0, reduction: "add" });
  const cut = c.op("Slice", [sums, c.indices([0]), c.indices([size]), c.indices([0])]);
  c.give(output, identity(output.shape.length), c.reshape(cut, output.shape));
};

/** Blocks of pixels to channels and back, in the order that ONNX calls DCR. */
const blocks =
  (op: "SpaceToDepth" | "DepthToSpace"): Lower =>
  (c, v) => {
    const { block } = v.attrs as { readonly block: number };
    c.give(outputOf(v, 0), nchw, c.op(op, [c.take(inputOf(v, 0), nchw)], { blocksize: block }));
  };

/** Operators that move elements. */
export const movementLowerings = {
  RESHAPE: view,
  SQUEEZE: view,
  EXPAND_DIMS: view,
  DROPOUT: alias,
  TRANSPOSE: transpose,
  CONCATENATION: concatenation,
  SPLIT: (c, v) => split(c, v, inputOf(v, 1), constantOf(inputOf(v, 0))[0] ?? 0),
  SPLIT_V: (c, v) => split(c, v, inputOf(v, 0), constantOf(inputOf(v, 2))[0] ?? 0),
  SLICE: slice,
  STRIDED_SLICE: gathered,
  PAD: pad(() => null),
  PADV2: pad((v) => inputOf(v, 2)),
  MIRROR_PAD: gathered,
  PACK: pack,
  UNPACK: unpack,
  GATHER: gather,
  RESIZE_NEAREST_NEIGHBOR: gathered,
  SPACE_TO_DEPTH: blocks("SpaceToDepth"),
  DEPTH_TO_SPACE: blocks("DepthToSpace"),
  BROADCAST_TO: broadcast,
  TILE: gathered,
  SCATTER_ADD: scatterAdd,
} as const satisfies Partial<Record<OpName, Lower>>;
