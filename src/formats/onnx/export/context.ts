import { invariant, present } from "../../../base/assert.js";
import { elementsOf, type TensorData } from "../../../base/dtype.js";
import type { TensorId } from "../../../base/units.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { Activation } from "../../../ops/common/activation.js";
import { floatActivationRange } from "../../../ops/common/activation.js";
import type { OnnxAttribute, OnnxType, OnnxWriter } from "../writer.js";
import {
  arrange,
  arranged,
  axesOf,
  blocked,
  identity,
  int64s,
  keepsPlaces,
  type Layout,
  nchw,
  permutation,
} from "./layouts.js";

/** The domain of ONNX Runtime's blocked operators, and the one of its other additions. */
export const blockedDomain = "com.microsoft.nchwc";
export const microsoft = "com.microsoft";

/** A graph's values as ONNX values, in every layout that was asked for. */
export interface ExportContext {
  readonly writer: OnnxWriter;
  /** The only output of a node of ONNX's own operators. */
  readonly op: (
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ) => string;
  /** The value of a tensor in a layout; converts it once if it is not there yet. */
  readonly take: (tensor: Tensor, layout: Layout) => string;
  /** The layout that a tensor was computed in; that of the graph for constants. */
  readonly home: (tensor: Tensor) => Layout;
  /** All layouts there are of a tensor. */
  readonly layouts: (tensor: Tensor) => ReadonlyMap<Layout, string>;
  /** States the value of a tensor in a layout. */
  readonly give: (tensor: Tensor, layout: Layout, value: string) => void;
  /** Nodes that read a tensor; more than one also where it is an output of the graph. */
  readonly readers: (tensor: Tensor) => readonly NodeView<never>[];
  /** Outputs of nodes that an earlier node computed along with its own; nothing is written for them. */
  readonly absorbed: Set<TensorId>;
  readonly indices: (values: readonly number[]) => string;
  readonly floats: (shape: readonly number[], values: readonly number[]) => string;
  readonly reshape: (value: string, shape: readonly number[]) => string;
  /** Channels in a block of the blocked layout; 0 where it is not used. */
  readonly block: number;
}

/** Writes a node. */
export type Lower = (c: ExportContext, view: NodeView<never>) => void;

/** The ONNX element type of a tensor. int4 and float16 have no place in graphs that are exported. */
function onnxTypeOf(tensor: Tensor): OnnxType {
  const { dtype } = tensor;
  invariant(dtype !== "int4" && dtype !== "float16" && dtype !== "resource", `${dtype} in an ONNX export`);
  return dtype;
}

export function exportContext(writer: OnnxWriter, block: number, readers: ExportContext["readers"]): ExportContext {
  const values = new Map<TensorId, Map<Layout, string>>();
  const known = (tensor: Tensor): Map<Layout, string> => {
    const found = values.get(tensor.id) ?? new Map<Layout, string>();
    values.set(tensor.id, found);
    return found;
  };
  const op: ExportContext["op"] = (name, inputs, attributes = {}, domain = "") =>
    present(writer.node(name, inputs, attributes, { domain })[0], "output");
  const indices = (list: readonly number[]): string => writer.constant("int64", [list.length], int64s(list));
  const reshape = (value: string, shape: readonly number[]): string => op("Reshape", [value, indices(shape)]);

  const convert = (tensor: Tensor, from: Layout, value: string, to: Layout): string => {
    if (from === blocked) {
      const plain = take(tensor, nchw);
      return to === nchw ? plain : take(tensor, to);
    }
    if (to === blocked) return op("ReorderInput", [take(tensor, nchw)], { channels_last: 0 }, blockedDomain);
    const order = permutation(from, to);
    const shape = arranged(tensor.shape, from);
    if (keepsPlaces(shape, order)) return reshape(value, arranged(tensor.shape, to));
    return op("Transpose", [value], { perm: order });
  };
  const fromBlocked = (tensor: Tensor, value: string): string =>
    op("ReorderOutput", [value], { channels: tensor.shape[3] ?? 0, channels_last: 0 }, blockedDomain);
  const take = (tensor: Tensor, layout: Layout): string => {
    const found = known(tensor);
    const there = found.get(layout);
    if (there !== undefined) return there;
    let value: string;
    const [first] = found;
    if (first === undefined) {
      const data = present(tensor.data, `value of tensor ${tensor.id} ${tensor.name}`);
      if (layout === blocked) value = convert(tensor, nchw, take(tensor, nchw), blocked);
      else
        value = writer.constant(
          onnxTypeOf(tensor),
          arranged(tensor.shape, layout),
          arrange(data, tensor.shape, layout),
        );
    } else {
      const [from, source] = [...found].find(([l]) => l !== blocked) ?? first;
      value = from === blocked && layout === nchw ? fromBlocked(tensor, source) : convert(tensor, from, source, layout);
    }
    found.set(layout, value);
    return value;
  };
  return {
    writer,
    op,
    take,
    block,
    readers,
    absorbed: new Set(),
    indices,
    reshape,
    floats: (shape, list) => writer.constant("float32", shape, Float32Array.from(list)),
    layouts: known,
    home: (tensor) => known(tensor).keys().next().value ?? identity(tensor.shape.length),
    give: (tensor, layout, value) => {
      known(tensor).set(layout, value);
    },
  };
}

/**
 * The value of a tensor that broadcasts to `rank` axes, in a layout of those. What is shorter gets axes of size 1 in front,
 * as numpy gives it.
 */
export function operand(c: ExportContext, tensor: Tensor, rank: number, layout: Layout): string {
  const missing = rank - tensor.shape.length;
  if (missing === 0) return c.take(tensor, layout);
  if (elementsOf(tensor.shape) === 1) return c.reshape(c.take(tensor, identity(tensor.shape.length)), []);
  const shape = [...new Array<number>(missing).fill(1), ...tensor.shape];
  const order = axesOf(layout);
  if (tensor.data !== null && c.layouts(tensor).size === 0)
    return c.writer.constant(
      onnxTypeOf(tensor),
      arranged(shape, layout),
      arrange(tensor.data as TensorData, shape, layout),
    );
  const flat = c.take(tensor, identity(tensor.shape.length));
  if (keepsPlaces(shape, order)) return c.reshape(flat, arranged(shape, layout));
  return c.op("Transpose", [c.reshape(flat, shape)], { perm: order });
}

/** The layout to compute an output in: that of an input as large as it, if there is one. */
export function commonLayout(c: ExportContext, view: NodeView<never>, output: Tensor): Layout {
  const rank = output.shape.length;
  const size = elementsOf(output.shape);
  const inputs = view.inputs.filter((t): t is Tensor => t !== null && t.shape.length === rank && t.data === null);
  const whole = inputs.find((t) => elementsOf(t.shape) === size) ?? inputs[0];
  const isBlocked = inputs.some((t) => elementsOf(t.shape) === size && c.layouts(t).has(blocked));
  const layout = isBlocked ? blocked : whole ? c.home(whole) : identity(rank);
  if (layout !== blocked) return layout;
  // Blocks cannot broadcast, and constants would have to be reordered.
  const alike = view.inputs.every(
    (t) => t === null || elementsOf(t.shape) === 1 || (t.data === null && elementsOf(t.shape) === size),
  );
  return alike ? layout : nchw;
}

/** Applies an activation. */
export function activated(c: ExportContext, activation: Activation, value: string): string {
  if (activation === "NONE") return value;
  if (activation === "RELU") return c.op("Relu", [value]);
  const { min, max } = floatActivationRange(activation);
  return c.op("Clip", [value, c.floats([], [min]), c.floats([], [max])]);
}
