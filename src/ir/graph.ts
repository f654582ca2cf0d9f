import type { DType, TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";

/**
 * Affine quantization: real = scale[c] * (q - zeroPoint[c]). One entry for a per-tensor quantization; one for each
 * index along `axis` for a per-channel one.
 */
export interface Quantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

/** Shape, element type and quantization: what an operator's inference is about. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly quant: Quantization | null;
}

/**
 * A value in a graph. Constants carry their data; `variable` tensors keep their contents between invocations and
 * start as zeros (the zero point, for a quantized type).
 */
export interface Tensor extends TensorType {
  readonly id: TensorId;
  readonly name: string;
  readonly data: TensorData | null;
  readonly variable: boolean;
  /** The name of the variable that a `resource` tensor stands for. */
  readonly resource?: string;
}

/** Where a node came from in the user's file; every rewrite carries it on, so that errors can name it. */
export interface Origin {
  /** The operator's index in the file's execution order; -1 for a node no file contains. */
  readonly index: number;
  /** The operator's name in the file's own terms. */
  readonly op: string;
  /** The operator's version in the file, if it has one. */
  readonly version?: number;
}

/** One operator. `null` stands for an omitted optional input. Attributes are plain JSON data. */
export interface NodeBase {
  readonly op: string;
  readonly inputs: readonly (TensorId | null)[];
  readonly outputs: readonly TensorId[];
  readonly attrs: object;
  readonly origin: Origin;
}

/** Storage that VAR_HANDLE names and READ_VARIABLE and ASSIGN_VARIABLE use; kept between invocations. */
export interface Variable extends TensorType {
  readonly name: string;
  /** Contents after initialisation; null for zeros (the zero point, for a quantized type). */
  readonly initial: TensorData | null;
}

/**
 * An immutable network. `nodes` are in execution order; every tensor is written at most once, before it is read.
 * Passes make new graphs and never change one.
 */
export interface GraphOf<N extends NodeBase> {
  readonly name: string;
  readonly tensors: ReadonlyMap<TensorId, Tensor>;
  readonly nodes: readonly N[];
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  readonly variables: readonly Variable[];
}

/** What a file holds: the network, and subgraphs that CALL_ONCE runs once. */
export interface ModelOf<N extends NodeBase> {
  readonly name: string;
  /** The file's SHA-256 in hexadecimal; of the text form for a graph that no file holds. */
  readonly sha256: string;
  readonly format: "tflite" | "onnx" | "text" | "memory";
  readonly fileBytes: number;
  readonly main: GraphOf<N>;
  readonly subgraphs: readonly GraphOf<N>[];
}

/** What the functions of an operator see of a node: its attributes and its tensors, resolved. */
export interface NodeView<A> {
  readonly op: string;
  readonly attrs: A;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly origin: Origin;
  /** Elements from pixel to pixel of the images that do not lie in one piece; kernels that can are told of them. */
  readonly pixelSteps?: ReadonlyMap<TensorId, number>;
}

/** Resolves a node's tensors. */
export function viewOf<N extends NodeBase>(graph: GraphOf<N>, node: N): NodeView<N["attrs"]> {
  return {
    op: node.op,
    attrs: node.attrs,
    inputs: node.inputs.map((id) => (id === null ? null : tensorOf(graph, id))),
    outputs: node.outputs.map((id) => tensorOf(graph, id)),
    origin: node.origin,
  };
}

/** The tensor `id` of a graph; every id a graph's nodes mention is in its map. */
export function tensorOf<N extends NodeBase>(graph: GraphOf<N>, id: TensorId): Tensor {
  const tensor = graph.tensors.get(id);
  if (tensor === undefined) throw new RangeError(`tensor ${id} is not in graph ${graph.name}`);
  return tensor;
}

/** `op 12 CONV_2D`, as diagnostics name an operator. */
export const originName = (origin: Origin): string =>
  origin.index < 0 ? origin.op : `op ${origin.index} ${origin.op}`;

/** `tensor 37 "conv4/bias"`, as diagnostics name a tensor. */
export const tensorName = (tensor: { readonly id: TensorId; readonly name: string }): string =>
  `tensor ${tensor.id} ${JSON.stringify(tensor.name)}`;

/** True if two quantizations are the same to the bit. */
export function sameQuantization(a: Quantization | null, b: Quantization | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.scales.length === b.scales.length &&
    a.scales.every((s, i) => s === b.scales[i]) &&
    a.zeroPoints.every((z, i) => z === b.zeroPoints[i]) &&
    (a.scales.length === 1 || a.axis === b.axis)
  );
}

/** Per-tensor quantization with one scale and zero point. */
export const perTensor = (scale: number, zeroPoint = 0): Quantization => ({
  scales: [Math.fround(scale)],
  zeroPoints: [zeroPoint],
  axis: 0,
});
