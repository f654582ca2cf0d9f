import { invariant, present } from "../../../base/assert.js";
import type { TensorId } from "../../../base/units.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { OnnxAttribute, OnnxType, OnnxWriter } from "../writer.js";
import {
  arrange,
  arranged,
  blocked,
  identity,
  int64s,
  keepsPlaces,
  type Layout,
  nchw,
  nhwc,
  permutation,
} from "./layouts.js";

/** The domain of ONNX Runtime's blocked operators, and the one of its other additions. */
export const blockedDomain = "com.microsoft.nchwc";
export const microsoft = "com.microsoft";

/** A graph's values as ONNX values, in every layout that was asked for. */
export interface ExportContext {
  readonly writer: OnnxWriter;
  /** The only output of a node, of ONNX's own operators unless a domain is given; equal nodes are one. */
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
  readonly layouts: (tensor: Tensor) => ReadonlyMap<Layout, unknown>;
  /** States the value of a tensor in a layout. */
  readonly give: (tensor: Tensor, layout: Layout, value: string) => void;
  /** States how a tensor is computed in a layout, should somebody take it; most know a shorter way. */
  readonly promise: (tensor: Tensor, layout: Layout, compute: () => string) => void;
  /**
   * States how a tensor, blocked, is computed once more from what stays in memory anyway (Chen et al. 2016). `recompute`
   * forgets the first values of all such tensors but the last, which is still near.
   */
  readonly again: (tensor: Tensor, compute: () => string) => void;
  readonly recompute: () => void;
  /** The graph's inputs. */
  readonly inputs: ReadonlySet<TensorId>;
  /** Tensors that were promised as products: readers that are linear can multiply something smaller. */
  readonly products: Map<TensorId, Product>;
  /** Tensors that were promised as images of zeros but for every stride-th row and column. */
  readonly sparse: Map<TensorId, Sparse>;
  /** Tensors that were promised as values [n, c], the same for all pixels of an image. */
  readonly flat: Map<TensorId, string>;
  /** Nodes that read a tensor; more than one also where it is an output of the graph. */
  readonly readers: (tensor: Tensor) => readonly NodeView<never>[];
  /** Outputs of nodes that an earlier node computed along with its own; nothing is written for them. */
  readonly absorbed: Set<TensorId>;
  readonly indices: (values: readonly number[]) => string;
  readonly floats: (shape: readonly number[], values: readonly number[]) => string;
  readonly reshape: (value: string, shape: readonly number[]) => string;
  /** A blocked value, of an image of that shape (NHWC), as NCHW or NHWC. */
  readonly unblocked: (value: string, layout: typeof nchw | typeof nhwc, shape: readonly number[]) => string;
  /** Channels in a block of the blocked layout; 0 where it is not used. */
  readonly block: number;
}

/** A tensor as another one, of the same shape, times a factor for each channel. */
export interface Product {
  readonly base: Tensor;
  /** A value of c elements. */
  readonly factor: string;
}

/** An image of zeros but for one pixel in every stride[0] rows and stride[1] columns, the first. */
export interface Sparse {
  readonly stride: readonly [number, number];
  /** Its pixels, blocked, with as many blocks of zeros behind each as make stride[1]: [n, stride[1] c, h, w]. */
  readonly spaced: () => string;
}

/** Writes a node. */
export type Lower = (c: ExportContext, view: NodeView<never>) => void;

/** The ONNX element type of a tensor. int4 and float16 have no place in graphs that are exported. */
export function onnxTypeOf(tensor: Tensor): OnnxType {
  const { dtype } = tensor;
  invariant(dtype !== "int4" && dtype !== "float16" && dtype !== "resource", `${dtype} in an ONNX export`);
  return dtype;
}

export function exportContext(
  writer: OnnxWriter,
  given: Pick<ExportContext, "block" | "inputs" | "readers">,
): ExportContext {
  const { block } = given;
  const values = new Map<TensorId, Map<Layout, string | (() => string)>>();
  const known = (tensor: Tensor): Map<Layout, string | (() => string)> => {
    const found = values.get(tensor.id) ?? new Map<Layout, string | (() => string)>();
    values.set(tensor.id, found);
    return found;
  };
  /** What there is of a tensor in a layout, computed if it was only promised. */
  const settled = (tensor: Tensor, layout: Layout): string | undefined => {
    const found = known(tensor).get(layout);
    if (typeof found !== "function") return found;
    const value = found();
    known(tensor).set(layout, value);
    return value;
  };
  const written = new Map<string, string>();
  const op: ExportContext["op"] = (name, inputs, attributes = {}, domain = "") => {
    // As text, for JSON knows neither infinity nor NaN.
    const key = JSON.stringify([domain, name, inputs, attributes], (_, v) => (typeof v === "number" ? String(v) : v));
    const value = written.get(key) ?? present(writer.node(name, inputs, attributes, { domain })[0], "output");
    written.set(key, value);
    return value;
  };
  const indices = (list: readonly number[]): string => writer.constant("int64", [list.length], int64s(list));
  /** What was reshaped to a value, and shapes that are known. */
  const sources = new Map<string, string>();
  const shapes = new Map<string, string>();
  // Reshapes of reshapes are one: the runtime would do that too, but move the nodes that it replaces to the end.
  const reshape = (value: string, shape: readonly number[]): string => {
    const source = sources.get(value) ?? value;
    const wanted = shape.join();
    if (shapes.get(source) === wanted) return source;
    const found = op("Reshape", [source, indices(shape)]);
    sources.set(found, source);
    return found;
  };

  const convert = (tensor: Tensor, from: Layout, value: string, to: Layout): string => {
    if (from === blocked) {
      if (to === nhwc) return unblocked(value, nhwc, tensor.shape);
      const plain = take(tensor, nchw);
      return to === nchw ? plain : take(tensor, to);
    }
    if (to === blocked && !known(tensor).has(nchw) && from === nhwc)
      return op("ReorderInput", [value], { channels_last: 1 }, blockedDomain);
    if (to === blocked) return op("ReorderInput", [take(tensor, nchw)], { channels_last: 0 }, blockedDomain);
    const order = permutation(from, to);
    const shape = arranged(tensor.shape, from);
    if (keepsPlaces(shape, order)) return reshape(value, arranged(tensor.shape, to));
    // Axes of one element have no place; without them, the runtime knows more permutations that it does fast.
    const long = order.filter((axis) => shape[axis] !== 1);
    if (long.length === order.length) return op("Transpose", [value], { perm: order });
    const kept = long.toSorted((a, b) => a - b);
    const short = reshape(
      value,
      kept.map((axis) => shape[axis] ?? 1),
    );
    const moved = op("Transpose", [short], { perm: long.map((axis) => kept.indexOf(axis)) });
    return reshape(moved, arranged(tensor.shape, to));
  };
  const unblocked: ExportContext["unblocked"] = (value, layout, [n = 0, h = 0, w = 0, channels = 0]) => {
    if (layout === nchw) return op("ReorderOutput", [value], { channels, channels_last: 0 }, blockedDomain);
    if (channels % block !== 0) return op("ReorderOutput", [value], { channels, channels_last: 1 }, blockedDomain);
    // Pixels and blocks of channels change places; the reorder that makes blocks does that too, and in all threads.
    const rows = reshape(value, [n, channels / block, 1, h * w * block]);
    return reshape(op("ReorderInput", [rows], { channels_last: 1 }, blockedDomain), [n, h, w, channels]);
  };
  const take = (tensor: Tensor, layout: Layout): string => {
    const found = known(tensor);
    const there = settled(tensor, layout);
    if (there !== undefined) return there;
    let value: string;
    const [first] = found.keys();
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
      // From blocks, NCHW and NHWC are one reorder away; a transpose of a value that is there already costs more, unless
      // it moves nothing.
      const direct = found.has(blocked) && (layout === nchw || layout === nhwc);
      const plain = [...found.keys()].filter((l) => l !== blocked);
      const near = plain.find(
        (l) => layout !== blocked && keepsPlaces(arranged(tensor.shape, l), permutation(l, layout)),
      );
      const from = near ?? (direct ? blocked : (plain[0] ?? first));
      const source = present(settled(tensor, from), "value");
      value =
        from === blocked && layout === nchw
          ? unblocked(source, nchw, tensor.shape)
          : convert(tensor, from, source, layout);
    }
    found.set(layout, value);
    return value;
  };
  const repeatable = new Map<Tensor, () => string>();
  return {
    again: (tensor, compute) => {
      repeatable.set(tensor, compute);
    },
    recompute: () => {
      for (const [tensor, compute] of [...repeatable].slice(0, -1)) {
        known(tensor).clear();
        known(tensor).set(blocked, compute);
      }
      repeatable.clear();
    },
    writer,
    op,
    take,
    ...given,
    absorbed: new Set(),
    indices,
    reshape,
    unblocked,
    floats: (shape, list) => writer.constant("float32", shape, Float32Array.from(list)),
    layouts: known,
    home: (tensor) => known(tensor).keys().next().value ?? identity(tensor.shape.length),
    give: (tensor, layout, value) => {
      known(tensor).set(layout, value);
      if (layout !== blocked) shapes.set(value, arranged(tensor.shape, layout).join());
    },
    promise: (tensor, layout, compute) => {
      known(tensor).set(layout, compute);
    },
    products: new Map(),
    sparse: new Map(),
    flat: new Map(),
  };
}
