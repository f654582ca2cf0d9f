import { bytesOf, type DType, elementsOf, type TensorData } from "../../base/dtype.js";
import type { Quantization, Tensor } from "../../ir/graph.js";
import { type CValue, noTraits, type Traits } from "../spec.js";

/** Element types that operators which only move data take. */
export const movedTypes = [
  "float32",
  "int8",
  "uint8",
  "int16",
  "int32",
  "int64",
  "bool",
] as const satisfies readonly DType[];

/** Traits of an operator that copies selected elements. */
export const moverTraits = { ...noTraits, moves: true } as const satisfies Traits<never>;

/**
 * The quantization of a tensor whose elements were moved: the same. A per-channel one may change its axis and types
 * that carry none are left to the model.
 */
export function movedQuant(tensor: Tensor): Quantization | null | "free" {
  const quantized = tensor.dtype === "int8" || tensor.dtype === "int16" || tensor.dtype === "uint8";
  return quantized && tensor.quant?.scales.length === 1 ? tensor.quant : "free";
}

/**
 * A block of elements to copy: its sizes and, for each dimension, the steps through source and destination, all in
 * elements, outermost first. Steps may be negative or 0.
 */
export interface Box {
  readonly sizes: readonly number[];
  readonly inSteps: readonly number[];
  readonly outSteps: readonly number[];
  readonly inBase: number;
  readonly outBase: number;
}

/** Steps in elements along each dimension of a dense tensor. */
export function stepsOf(shape: readonly number[]): readonly number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) steps[d] = (steps[d + 1] as number) * (shape[d + 1] as number);
  return steps;
}

/** Copies a box element by element: the definition that th_move's merged loops are checked against. */
export function moveElements(from: TensorData, to: TensorData, box: Box): void {
  const [source, target] = [from as Int32Array, to as Int32Array];
  const last = box.sizes.length - 1;
  const walk = (d: number, inAt: number, outAt: number): void => {
    const size = box.sizes[d] ?? 1;
    const [inStep, outStep] = [box.inSteps[d] ?? 0, box.outSteps[d] ?? 0];
    for (let i = 0; i < size; i++) {
      if (d >= last) target[outAt + i * outStep] = source[inAt + i * inStep] as number;
      else walk(d + 1, inAt + i * inStep, outAt + i * outStep);
    }
  };
  walk(0, box.inBase, box.outBase);
}

/** Dimensions th_move loops over. */
const loops = 6;

/**
 * A box as the fields of th_move_params: dimensions that advance evenly merged, the innermost contiguous run made one
 * unit. Null if more than six dimensions are left.
 */
export function moveFields(box: Box, dtype: DType): Record<string, CValue> | null {
  const bytes = bytesOf(dtype, 1);
  const dims: { size: number; inStep: number; outStep: number }[] = [];
  box.sizes.forEach((size, d) => {
    const [inStep, outStep] = [(box.inSteps[d] as number) * bytes, (box.outSteps[d] as number) * bytes];
    if (size === 1) return;
    const outer = dims.at(-1);
    if (outer && outer.inStep === inStep * size && outer.outStep === outStep * size) {
      dims[dims.length - 1] = { size: size * outer.size, inStep, outStep };
    } else dims.push({ size, inStep, outStep });
  });
  let unit = bytes;
  const inner = dims.at(-1);
  if (inner && inner.inStep === bytes && inner.outStep === bytes) {
    unit = inner.size * bytes;
    dims.pop();
  }
  if (box.sizes.includes(0)) dims.splice(0, dims.length, { size: 0, inStep: 0, outStep: 0 });
  if (dims.length > loops) return null;
  while (dims.length < loops) dims.unshift({ size: 1, inStep: 0, outStep: 0 });
  return {
    unit,
    in_base: box.inBase * bytes,
    out_base: box.outBase * bytes,
    size: dims.map((d) => d.size),
    in_step: dims.map((d) => d.inStep),
    out_step: dims.map((d) => d.outStep),
  };
}

/** Bytes of a tensor on the device. */
export const tensorBytes = (tensor: Tensor): number => bytesOf(tensor.dtype, elementsOf(tensor.shape));
