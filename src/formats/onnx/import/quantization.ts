import { type DType, elementsOf, rangeOf, type TensorData } from "../../../base/dtype.js";
import { type Quantization, sameQuantization, type Tensor } from "../../../ir/graph.js";
import type { NodeProto } from "../proto.js";
import type { GraphBuilder } from "./builder.js";
import type { Value } from "./context.js";
import { lookUp, type Scope } from "./scope.js";

/** What uint8 values are moved by to become int8. */
const shift = 128;

/** Scale and zero point of a QuantizeLinear or DequantizeLinear, as int8 or int16 have them. */
export interface Parameters {
  readonly quant: Quantization;
  readonly dtype: DType;
  readonly isUnsigned: boolean;
}

/**
 * Reads scales and zero points. Values of uint8 become int8 by taking 128 off them and their zero points.
 * @param dtype of the integers
 */
export function parametersOf(
  scales: readonly number[],
  zeroPoints: readonly number[],
  dtype: DType,
  axis: number,
): Parameters {
  const isUnsigned = dtype === "uint8";
  const off = isUnsigned ? shift : 0;
  return {
    isUnsigned,
    dtype: isUnsigned ? "int8" : dtype,
    quant: {
      scales: scales.map(Math.fround),
      zeroPoints: scales.map((_, c) => (zeroPoints[c] ?? zeroPoints[0] ?? 0) - off),
      axis: scales.length > 1 ? axis : 0,
    },
  };
}

const numbers = (data: TensorData | null): readonly number[] =>
  Array.from((data ?? []) as ArrayLike<number | bigint>, Number);

/** A constant of integers with its quantization; uint8 becomes int8. */
export function quantizedConstant(b: GraphBuilder, constant: Tensor, { quant, dtype, isUnsigned }: Parameters): Tensor {
  const values = numbers(constant.data);
  return b.constant(dtype, constant.shape, isUnsigned ? values.map((v) => v - shift) : values, quant);
}

/** The real numbers that a quantized constant stands for, in float32 as DEQUANTIZE computes them. */
function dequantized(tensor: Tensor, data: TensorData): Float32Array {
  const { scales = [1], zeroPoints = [0], axis = 0 } = tensor.quant ?? {};
  const inner = elementsOf(tensor.shape.slice(axis + 1));
  return Float32Array.from(data as Int8Array, (v, i) => {
    const c = scales.length > 1 ? Math.floor(i / inner) % scales.length : 0;
    return (scales[c] ?? 1) * (v - (zeroPoints[c] ?? 0));
  });
}

/** A real constant in integers, half to even as ONNX rounds, saturated; per channel along the quantization's axis. */
export function quantizeConstant(b: GraphBuilder, real: Tensor, { quant, dtype }: Parameters): Tensor {
  const { min, max } = rangeOf(dtype);
  const inner = elementsOf(real.shape.slice(quant.axis + 1));
  const values = numbers(real.data).map((v, i) => {
    const c = quant.scales.length > 1 ? Math.floor(i / inner) % quant.scales.length : 0;
    const q = v / (quant.scales[c] ?? 1);
    const down = Math.floor(q);
    const rounded = q - down === 0.5 ? down + (Math.abs(down) % 2) : Math.round(q);
    return Math.min(Math.max(rounded + (quant.zeroPoints[c] ?? 0), min), max);
  });
  return b.constant(dtype, real.shape, values, quant);
}

/** A value as a tensor of its own elements: real numbers, or the integers of the file. */
export function plainOf(b: GraphBuilder, value: Value): Tensor {
  if (value.plain !== null) return value.plain;
  const { quantized } = value;
  if (quantized === null) return b.refuse("TH2009", { fix: "export the model again" });
  const { tensor, stands, isUnsigned } = quantized;
  if (stands === "real") {
    if (tensor.data === null) return b.emit("DEQUANTIZE", [tensor], {}, { dtype: "float32" });
    return b.add({ shape: tensor.shape, dtype: "float32", quant: null, data: dequantized(tensor, tensor.data) });
  }
  if (!isUnsigned) return tensor;
  const quant = tensor.quant && { ...tensor.quant, zeroPoints: tensor.quant.zeroPoints.map((z) => z + shift) };
  if (tensor.data === null) return b.emit("QUANTIZE", [tensor], {}, { dtype: "uint8", quant });
  const values = numbers(tensor.data).map((v) => v + shift);
  return b.constant("uint8", tensor.shape, values, quant);
}

/** Scale, zero point and type of a QuantizeLinear node whose parameters are constants; null for others. */
export function quantizeParameters(scope: Scope, node: NodeProto): Parameters | null {
  const [, scale = "", zero = ""] = node.input ?? [];
  const scales = lookUp(scope, scale)?.plain;
  const zeros = zero === "" ? null : lookUp(scope, zero)?.plain;
  if (!scales?.data || (zero !== "" && !zeros?.data)) return null;
  const values = zeros?.data ? Array.from(zeros.data, Number) : [0];
  return parametersOf(Array.from(scales.data, Number), values, zeros?.dtype ?? "uint8", 1);
}

/** Operators that may stand between a computation and its QuantizeLinear: quantized alike, they commute with it. */
const activations = ["Relu", "Clip"];

/**
 * The quantization that all readers of a value give it, directly or behind an activation; null if they do not agree or
 * somebody reads the real numbers.
 */
export function quantizationAhead(scope: Scope, name: string): Parameters | null {
  const follow = (at: string, depth: number): Parameters | null => {
    const readers = scope.readers.get(at) ?? [];
    const found = readers.map((node) => {
      if (node?.opType === "QuantizeLinear" && node.input?.[0] === at) return quantizeParameters(scope, node);
      const isActivation = depth === 0 && activations.includes(node?.opType ?? "") && readers.length === 1;
      return isActivation ? follow(node?.output?.[0] ?? "", 1) : null;
    });
    const [first = null] = found;
    const agree = found.every((p) => p !== null && p.dtype === first?.dtype && sameQuantization(p.quant, first.quant));
    return agree && first?.quant.scales.length === 1 ? first : null;
  };
  return follow(name, 0);
}
