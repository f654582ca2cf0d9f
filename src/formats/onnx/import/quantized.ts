import { elementsOf } from "../../../base/dtype.js";
import { sameQuantization, type Tensor } from "../../../ir/graph.js";
import { binary, castTo, noActivation, reduce, unary } from "./arithmetic.js";
import { axisOf, float, type OnnxNode, type OnnxOperator, operator, requireOption, type Value } from "./context.js";
import { convolution, toFirst, toLast } from "./convolution.js";
import { matMul } from "./linear.js";
import { type Parameters, parametersOf, quantizeConstant, quantizedConstant } from "./quantization.js";

const integers = ["float32", "int32", "int8", "uint8", "int16"] as const;

const real = (tensor: Tensor, isUnsigned = false): Value => ({
  plain: null,
  quantized: { tensor, stands: "real", isUnsigned },
});

/** The integers that a value stands for in the file, and their type there. */
function integerType(value: Value | null): "uint8" | Tensor["dtype"] {
  if (value?.quantized?.stands === "integer" && value.quantized.isUnsigned) return "uint8";
  return value?.plain?.dtype ?? value?.quantized?.tensor.dtype ?? "uint8";
}

/** Scale and zero point at inputs of a node; null where they are computed at run time. */
function parametersAt(
  n: OnnxNode,
  scale: number,
  zero: number,
  dtype: Tensor["dtype"],
  rank: number,
): Parameters | null {
  const [scales, zeros] = [n.optional(scale), n.optional(zero)];
  if (!scales?.data || (zeros !== null && zeros.data === null)) return null;
  const axis = n.attr.int("axis", 1);
  const isVector = scales.data.length > 1;
  return parametersOf(
    Array.from(scales.data as ArrayLike<number>, Number),
    Array.from((zeros?.data ?? [0]) as ArrayLike<number>, Number),
    dtype,
    isVector ? axisOf(n, axis, rank) : 0,
  );
}

/** A value of integers with the meaning that parameters give them, as a tensor of int8, int16 or int32. */
function withParameters(n: OnnxNode, value: Value, p: Parameters): Tensor {
  const { b } = n;
  if (value.quantized !== null) {
    const { tensor } = value.quantized;
    return sameQuantization(tensor.quant, p.quant)
      ? tensor
      : b.emit("RESHAPE", [tensor], { shape: tensor.shape }, { quant: p.quant });
  }
  const plain = n.b.tensors.get((value.plain as Tensor).id) as Tensor;
  if (plain.data !== null) return quantizedConstant(b, plain, p);
  const zeroPoints = p.quant.zeroPoints.map((z) => (p.isUnsigned ? z + 128 : z));
  const own = { ...p.quant, zeroPoints };
  if (plain.quant !== null && !sameQuantization(plain.quant, own))
    b.refuse("TH2006", { found: "two scales for one tensor", fix: "quantize it once" });
  const typed = b.update(plain, { quant: own });
  return p.isUnsigned ? b.emit("QUANTIZE", [typed], {}, { dtype: "int8", quant: p.quant }) : typed;
}

/** Scales or zero points computed at run time, lying along the axis that they belong to. */
function alongOwnAxis(n: OnnxNode, t: Tensor, x: Tensor): Tensor {
  if (t.shape.length !== 1 || t.shape[0] === 1) return n.b.reshape(t, []);
  const axis = axisOf(n, n.attr.int("axis", 1), x.shape.length);
  return n.b.reshape(
    t,
    x.shape.map((size, d) => (d === axis ? size : 1)),
  );
}

/** Real numbers of integers whose scale is only known at run time. */
function dequantizeAtRunTime(n: OnnxNode): Tensor {
  const x = castTo(n.b, n.input(0), "float32");
  const zero = n.optional(2);
  const centred = zero === null ? x : binary(n.b, "SUB", x, castTo(n.b, alongOwnAxis(n, zero, x), "float32"));
  return binary(n.b, "MUL", centred, alongOwnAxis(n, n.input(1), x));
}

function dequantize(n: OnnxNode): Tensor | Value[] {
  const value = n.value(0);
  const dtype = integerType(value);
  const rank = (value?.plain ?? value?.quantized?.tensor)?.shape.length ?? 0;
  requireOption(n, n.attr.int("block_size", 0) === 0, "block_size", n.attr.int("block_size", 0), "0");
  const p = parametersAt(n, 1, 2, dtype, rank);
  const isConstant = value?.plain?.data !== undefined && value.plain?.data !== null;
  if (value === null || p === null) return dequantizeAtRunTime(n);
  // Sums of products, and what has a scale for each channel, have no kernel that makes them real.
  if (!isConstant && (dtype === "int32" || p.quant.scales.length > 1)) return dequantizePerChannel(n, p);
  return [real(withParameters(n, value, p), p.isUnsigned)];
}

/** Data computed at run time with a scale for each channel, or wider than 16 bits: in floats. */
function dequantizePerChannel(n: OnnxNode, p: Parameters): Tensor {
  const x = castTo(n.b, n.input(0), "float32");
  const shape = x.shape.map((size, d) => (d === p.quant.axis && p.quant.scales.length > 1 ? size : 1));
  const vector = (values: readonly number[]): Tensor =>
    n.b.constant("float32", p.quant.scales.length > 1 ? shape : [], values);
  const zeros = p.quant.zeroPoints.map((z) => (p.isUnsigned ? z + 128 : z));
  return binary(n.b, "MUL", binary(n.b, "SUB", x, vector(zeros)), vector(p.quant.scales));
}

/** Integers of real numbers whose scale is only known at run time, or one for each channel: uint8 and int32 only. */
function quantizeInFloats(n: OnnxNode, dtype: Tensor["dtype"]): Tensor {
  const { b } = n;
  if (dtype !== "uint8")
    b.refuse("TH2008", { found: "a scale computed at run time", fix: "quantize the model statically" });
  const x = n.input(0);
  const shaped = (t: Tensor): Tensor => alongOwnAxis(n, t, x);
  const scaled = unary(b, "ROUND", binary(b, "DIV", x, shaped(n.input(1))));
  const zero = n.optional(2);
  const moved = zero === null ? scaled : binary(b, "ADD", scaled, castTo(b, shaped(zero), "float32"));
  return castTo(b, binary(b, "MAXIMUM", binary(b, "MINIMUM", moved, 255), 0), "uint8");
}

/** Values already quantized like that stay as they are; others are rescaled. */
function quantize(n: OnnxNode): Tensor | Value[] {
  const value = n.value(0);
  const rank = (value?.plain ?? value?.quantized?.tensor)?.shape.length ?? 0;
  const byType = { 2: "uint8", 3: "int8", 5: "int16", 6: "int32" } as const;
  const stated = byType[n.attr.int("output_dtype", 0) as keyof typeof byType];
  const dtype = n.optional(2)?.dtype ?? stated ?? "uint8";
  requireOption(n, n.attr.int("block_size", 0) === 0, "block_size", n.attr.int("block_size", 0), "0");
  const p = parametersAt(n, 1, 2, dtype, rank);
  const integer = (tensor: Tensor): Value[] => [
    { plain: null, quantized: { tensor, stands: "integer", isUnsigned: dtype === "uint8" } },
  ];
  if (p === null) return quantizeInFloats(n, dtype);
  if (value?.quantized?.stands === "real") {
    const { tensor } = value.quantized;
    if (tensor.dtype === p.dtype && sameQuantization(tensor.quant, p.quant)) return integer(tensor);
    if (tensor.data === null && tensor.dtype !== "int32") return integer(n.b.emit("QUANTIZE", [tensor], {}, p));
  }
  const x = n.input(0);
  if (x.data !== null) return integer(quantizeConstant(n.b, x, p));
  if (p.quant.scales.length > 1) return quantizeInFloats(n, dtype);
  return integer(n.b.emit("QUANTIZE", [x], {}, p));
}

/** An operand of an operator on integers: value, scale and zero point at three inputs, as a tensor with its scale. */
function operand(n: OnnxNode, value: number, scale: number, zero: number, axis = 0): Tensor {
  const given = n.value(value) ?? n.b.refuse("TH2003", { found: `no input ${value}`, fix: "export the model again" });
  const dtype = integerType(given);
  const scales = n.constants(scale, "scales");
  const zeros = n.has(zero) ? n.constants(zero, "zero points") : [0];
  return withParameters(n, given, parametersOf(scales, zeros, dtype, axis));
}

/** Scale and zero point of a result. */
const resultOf = (n: OnnxNode, scale: number, zero: number): Parameters =>
  parametersOf(
    n.constants(scale, "scales"),
    n.has(zero) ? n.constants(zero, "zero points") : [0],
    n.optional(zero)?.dtype ?? "uint8",
    0,
  );

/** The integers of a result in the file's type. */
const integersOf = (tensor: Tensor, p: Parameters): Value[] => [
  { plain: null, quantized: { tensor, stands: "integer", isUnsigned: p.isUnsigned } },
];

/** Computes in integers where our kernels can, else in floats between scales. */
function computeBetween(
  n: OnnxNode,
  p: Parameters,
  inputs: readonly Tensor[],
  make: (inputs: readonly Tensor[], p: Parameters | null) => Tensor,
): Value[] {
  const isFitting = inputs
    .slice(1)
    .every((t) => t.data === null || (t.quant?.zeroPoints ?? []).every((z) => z === 0) || t.dtype === "int32");
  if (isFitting) return integersOf(make(inputs, p), p);
  const floats = inputs.map((t) => {
    if (t.data === null) return n.b.emit("DEQUANTIZE", [t], {}, { dtype: "float32" });
    const inner = elementsOf(t.shape.slice((t.quant?.axis ?? 0) + 1));
    const { scales = [1], zeroPoints = [0] } = t.quant ?? {};
    const values = Array.from(t.data as ArrayLike<number>, (v, i) => {
      const c = scales.length > 1 ? Math.floor(i / inner) % scales.length : 0;
      return (scales[c] ?? 1) * (v - (zeroPoints[c] ?? 0));
    });
    return n.b.constant("float32", t.shape, values);
  });
  return integersOf(n.b.emit("QUANTIZE", [make(floats, null)], {}, p), p);
}

function qlinearConv(n: OnnxNode): Value[] {
  n.constants(3, "weights");
  const [x, w] = [operand(n, 0, 1, 2), operand(n, 3, 4, 5)];
  const bias = n.has(8) ? n.b.constant("int32", n.input(8).shape, n.constants(8, "a bias")) : null;
  const scales = (w.quant?.scales ?? [1]).map((s) => Math.fround(s * (x.quant?.scales[0] ?? 1)));
  const quant = { scales, zeroPoints: scales.map(() => 0), axis: 0 };
  const typed = bias ? [n.b.update(bias, { quant })] : [];
  return computeBetween(n, resultOf(n, 6, 7), [x, w, ...typed], ([data, weights, b], p) =>
    convolution(n, data as Tensor, weights as Tensor, b ?? null, p?.quant ?? null),
  );
}

function qlinearMatMul(n: OnnxNode): Value[] {
  const right = n.value(3);
  const rank = (right?.plain ?? right?.quantized?.tensor)?.shape.length ?? 2;
  const [a, m] = [operand(n, 0, 1, 2), operand(n, 3, 4, 5, Math.max(rank - 1, 0))];
  return computeBetween(n, resultOf(n, 6, 7), [a, m], ([x, y], p) =>
    matMul(n, x as Tensor, y as Tensor, p?.quant ?? null),
  );
}

/** An operator of the contributed set: inputs with their scales, then the result's. */
const contributed = (name: string, make: OnnxOperator["make"]): OnnxOperator =>
  operator({ name, domain: "com.microsoft", types: integers, make });

/** Exact while sums fit a float: 2^14 for each product, 2^24 in all. */
const mostProducts = 1024;

/** Products of integers less their zero points, in floats, which hold such sums exactly. */
function integerProducts(n: OnnxNode, make: (x: Tensor, w: Tensor) => Tensor): Tensor {
  const { b } = n;
  const centred = (index: number, zero: number): Tensor => {
    const x = castTo(b, n.input(index), "float32");
    const z = n.optional(zero);
    if (z === null) return x;
    const offset = castTo(b, z, "float32");
    const isRows = offset.shape.length === 1 && offset.shape[0] !== 1 && index === 0;
    return binary(b, "SUB", x, isRows ? b.reshape(offset, [...offset.shape, 1]) : offset);
  };
  const [x, w] = [centred(0, 2), centred(1, 3)];
  const depth = n.op === "ConvInteger" ? elementsOf(w.shape.slice(1)) : (w.shape.at(-2) ?? 1);
  requireOption(n, depth <= mostProducts, "sum of products", depth, `at most ${mostProducts}`);
  return castTo(b, make(x, w), "int32");
}

/** Scale and zero point from the least and the largest element, all of it at run time. */
function dynamicQuantize(n: OnnxNode): readonly Tensor[] {
  const { b } = n;
  const x = n.input(0);
  const axes = x.shape.map((_, d) => d);
  const most = binary(b, "MAXIMUM", reduce(b, "REDUCE_MAX", x, axes, "drop"), 0);
  const least = binary(b, "MINIMUM", reduce(b, "REDUCE_MIN", x, axes, "drop"), 0);
  const scale = binary(b, "MUL", binary(b, "SUB", most, least), 1 / 255);
  const limited = (t: Tensor): Tensor => binary(b, "MAXIMUM", binary(b, "MINIMUM", t, 255), 0);
  const zero = unary(b, "ROUND", limited(binary(b, "DIV", binary(b, "SUB", 0, least), scale)));
  const q = limited(binary(b, "ADD", unary(b, "ROUND", binary(b, "DIV", x, scale)), zero));
  return [castTo(b, q, "uint8"), scale, castTo(b, zero, "uint8")];
}

export const quantizedOperators: readonly OnnxOperator[] = [
  operator({ name: "QuantizeLinear", types: float, limits: "no blocks; to uint8, int8 and int16", make: quantize }),
  operator({ name: "DequantizeLinear", types: integers, limits: "no blocks", make: dequantize }),
  operator({ name: "DynamicQuantizeLinear", types: float, make: dynamicQuantize }),
  operator({ name: "QLinearConv", types: integers, limits: "constant weights", make: qlinearConv }),
  operator({ name: "QLinearMatMul", types: integers, make: qlinearMatMul }),
  operator({
    name: "ConvInteger",
    types: integers,
    limits: "constant weights; sums of at most 1024 products",
    make: (n) => integerProducts(n, (x, w) => convolution(n, x, w, null, null)),
  }),
  operator({
    name: "MatMulInteger",
    types: integers,
    limits: "sums of at most 1024 products",
    make: (n) => integerProducts(n, (x, w) => matMul(n, x, w, null)),
  }),
  ...(["Add", "Mul"] as const).map((name) =>
    contributed(`QLinear${name}`, (n) => {
      const p = resultOf(n, 6, 7);
      const op = name === "Add" ? "ADD" : "MUL";
      return integersOf(binary(n.b, op, operand(n, 0, 1, 2), operand(n, 3, 4, 5), p.quant), p);
    }),
  ),
  contributed("QLinearSigmoid", (n) => {
    const p = resultOf(n, 3, 4);
    return integersOf(n.b.emit("LOGISTIC", [operand(n, 0, 1, 2)], {}, { quant: p.quant }), p);
  }),
  contributed("QLinearLeakyRelu", (n) => {
    const p = resultOf(n, 3, 4);
    const attrs = { alpha: n.attr.float("alpha", 0.01) };
    return integersOf(n.b.emit("LEAKY_RELU", [operand(n, 0, 1, 2)], attrs, { quant: p.quant }), p);
  }),
  contributed("QLinearGlobalAveragePool", (n) => {
    const p = resultOf(n, 3, 4);
    const x = operand(n, 0, 1, 2);
    const isLast = n.attr.int("channels_last", 0) === 1;
    const last = isLast ? x : toLast(n.b, x);
    const pooled = reduce(
      n.b,
      "MEAN",
      last,
      last.shape.slice(1, -1).map((_, d) => d + 1),
      "keep",
      p.quant,
    );
    return integersOf(isLast ? pooled : toFirst(n.b, pooled), p);
  }),
  contributed("QLinearConcat", (n) => {
    const p = resultOf(n, 0, 1);
    const parts = Array.from({ length: Math.floor((n.inputCount - 2) / 3) }, (_, i) => {
      const part = operand(n, 2 + 3 * i, 3 + 3 * i, 4 + 3 * i);
      return sameQuantization(part.quant, p.quant) ? part : n.b.emit("QUANTIZE", [part], {}, p);
    });
    const axis = n.attr.int("axis", 1);
    return integersOf(n.b.emit("CONCATENATION", parts, { axis, ...noActivation }, { quant: p.quant }), p);
  }),
];
