import { present } from "../../base/assert.js";
import type { TensorData } from "../../base/dtype.js";
import type { NodeView, Quantization, Tensor, TensorType } from "../../ir/graph.js";

/** Input `index` of a node whose arity has been checked. */
export const inputOf = (view: NodeView<unknown>, index: number): Tensor =>
  present(view.inputs[index], `input ${index} of ${view.op}`);

/** Input `index`, or null if it is omitted. */
export const optionalInput = (view: NodeView<unknown>, index: number): Tensor | null => view.inputs[index] ?? null;

/** Output `index` of a node. */
export const outputOf = (view: NodeView<unknown>, index: number): Tensor =>
  present(view.outputs[index], `output ${index} of ${view.op}`);

/** The quantization of a tensor that has been checked to have one. */
export const quantOf = (tensor: TensorType): Quantization => present(tensor.quant, "quantization");

/** The scale of a per-tensor quantization. */
export const scaleOf = (tensor: TensorType): number => present(quantOf(tensor).scales[0], "scale");

/** The zero point of a per-tensor quantization; 0 for a tensor without quantization. */
export const zeroPointOf = (tensor: TensorType): number => tensor.quant?.zeroPoints[0] ?? 0;

/** The elements of a constant tensor, as numbers. */
export const constantOf = (tensor: Tensor): readonly number[] =>
  Array.from(present(tensor.data, "constant data"), Number);

/** `shape[axis]`, negative axes counting from the end. */
export const sizeAt = (shape: readonly number[], axis: number): number =>
  present(shape[axis < 0 ? axis + shape.length : axis], `axis ${axis}`);

/** Data of a 64-bit or narrower integer bias as doubles (exact below 2^53). */
export const asDoubles = (data: TensorData | null | undefined): Float64Array | null =>
  !data ? null : Float64Array.from(data as ArrayLike<number | bigint>, Number);

/**
 * Elements from a pixel of an image [n, h, w, c] to the next: its channels, or more where it lies among the channels of
 * another tensor.
 */
export const pixelStep = (view: NodeView<unknown>, tensor: Tensor): number =>
  view.pixelSteps?.get(tensor.id) ?? sizeAt(tensor.shape, 3);
