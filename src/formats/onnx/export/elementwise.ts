import { present } from "../../../base/assert.js";
import { elementsOf } from "../../../base/dtype.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import type { Activation } from "../../../ops/common/activation.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import type { OpName } from "../../../ops/index.js";
import { onnxTypeCode } from "../writer.js";
import type { ExportContext, Lower } from "./context.js";
import { identity, place } from "./layouts.js";
import { activated, commonLayout, operand } from "./operands.js";

/** Computes the output from the inputs' values, all in one layout. */
const elementwise =
  (compute: (c: ExportContext, inputs: readonly string[], attrs: Readonly<Record<string, unknown>>) => string): Lower =>
  (c, view) => {
    const output = outputOf(view, 0);
    const layout = commonLayout(c, view, output);
    const inputs = view.inputs.map((t) => operand(c, present(t, "input"), output.shape.length, layout));
    c.give(output, layout, compute(c, inputs, view.attrs as Readonly<Record<string, unknown>>));
  };

const named = (op: string): Lower => elementwise((c, inputs) => c.op(op, inputs));

/** An arithmetic operator and its activation. */
const arithmetic = (op: string): Lower =>
  elementwise((c, inputs, attrs) =>
    activated(c, (attrs["activation"] as Activation | undefined) ?? "NONE", c.op(op, inputs)),
  );

const activation = (name: Activation): Lower => elementwise((c, inputs) => activated(c, name, inputs[0] ?? ""));

/** An operator over the last axis. */
const overLast =
  (compute: (c: ExportContext, value: string, axis: number, view: NodeView<never>) => string): Lower =>
  (c, view) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    const layout = identity(input.shape.length);
    c.give(output, layout, compute(c, c.take(input, layout), input.shape.length - 1, view));
  };

/** A value of 1 where a comparison holds, else 0. */
const indicator = (c: ExportContext, condition: string): string =>
  c.op("Cast", [condition], { to: onnxTypeCode("float32") });

/** Of what ONNX has at this opset: the error function, or a hyperbolic tangent. */
function gelu(c: ExportContext, [x = ""]: readonly string[], attrs: Readonly<Record<string, unknown>>): string {
  const times = (a: string, factor: number): string => c.op("Mul", [a, c.floats([], [factor])]);
  const cube = (): string => times(c.op("Mul", [x, c.op("Mul", [x, x])]), 0.044715);
  const part =
    attrs["approximate"] === true
      ? c.op("Tanh", [times(c.op("Add", [x, cube()]), Math.sqrt(2 / Math.PI))])
      : c.op("Erf", [times(x, Math.SQRT1_2)]);
  return c.op("Mul", [times(x, 0.5), c.op("Add", [part, c.floats([], [1])])]);
}

/** So steep that every positive number but the smallest (below 4e-39) comes to 1 or more. */
const steep = 3e38;

const inRange: Lower = elementwise((c, [x = ""], attrs) => {
  // One operator that runs in all threads, in place of a comparison and a conversion, which does not.
  if (attrs["above"] === 0 && attrs["below"] === null)
    return c.op("HardSigmoid", [x], { alpha: { float: steep }, beta: { float: 0 } });
  const bounds = [
    ["Greater", attrs["above"]],
    ["Less", attrs["below"]],
  ] as const;
  const tests = bounds.flatMap(([op, bound]) =>
    typeof bound === "number" ? [c.op(op, [x, c.floats([], [bound])])] : [],
  );
  const [first, second] = tests;
  if (first === undefined) return c.op("Add", [c.op("Mul", [x, c.floats([], [0])]), c.floats([], [1])]);
  return indicator(c, second === undefined ? first : c.op("And", [first, second]));
});

/** Axes that a reduction names, from the front. */
export const reducedAxes = (view: NodeView<never>): readonly number[] => {
  const rank = inputOf(view, 0).shape.length;
  return [...new Set(Array.from(inputOf(view, 1).data as Int32Array, (a) => (a < 0 ? a + rank : a)))];
};

/** The layout that is left when axes are gone. */
function withoutAxes(layout: string, axes: readonly number[]): string {
  const kept = Array.from(layout, Number).filter((axis) => !axes.includes(axis));
  const order = kept.toSorted((a, b) => a - b);
  return kept.map((axis) => order.indexOf(axis)).join("");
}

const reduction =
  (op: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd"): Lower =>
  (c, view) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    const { keepDims } = view.attrs as { readonly keepDims: boolean };
    const axes = reducedAxes(view);
    const plain = c.home(input) === "blocked" ? "0312" : c.home(input);
    const value = c.take(input, plain);
    const places = axes.map((axis) => place(axis, plain)).toSorted((a, b) => a - b);
    const flags = { keepdims: keepDims ? 1 : 0 };
    // Sums take their axes as an input since opset 13, the others as an attribute until 18.
    const result =
      axes.length === 0
        ? c.op("Identity", [value])
        : op === "ReduceSum"
          ? c.op(op, [value, c.indices(places)], flags)
          : c.op(op, [value], { axes: places, ...flags });
    c.give(output, keepDims ? plain : withoutAxes(plain, axes), result);
  };

const argument =
  (op: "ArgMax" | "ArgMin"): Lower =>
  (c, view) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    const [axis = 0] = Array.from(inputOf(view, 1).data as Int32Array, Number);
    const found = c.op(op, [c.take(input, identity(input.shape.length))], { axis, keepdims: 0 });
    c.give(output, identity(output.shape.length), c.op("Cast", [found], { to: onnxTypeCode(output.dtype as "int32") }));
  };

const cast: Lower = (c, view) => {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const layout = c.home(input);
  c.give(output, layout, c.op("Cast", [c.take(input, layout)], { to: onnxTypeCode(output.dtype as "int32") }));
};

/** Matrices, of which the last two axes may be swapped by asking for another layout. */
const matmul: Lower = (c, view) => {
  const [a, b, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const { adjX, adjY } = view.attrs as { readonly adjX: boolean; readonly adjY: boolean };
  if (a.shape.length === 2 && b.shape.length === 2) {
    const inputs = [a, b].map((t) => c.take(t, "01"));
    c.give(output, "01", c.op("Gemm", inputs, { transA: adjX ? 1 : 0, transB: adjY ? 1 : 0 }));
    return;
  }
  const swapped = (t: Tensor): string => {
    const axes = identity(t.shape.length);
    return axes.slice(0, -2) + (axes.at(-1) ?? "") + (axes.at(-2) ?? "");
  };
  const value = (t: Tensor, adj: boolean): string => c.take(t, adj ? swapped(t) : identity(t.shape.length));
  c.give(output, identity(output.shape.length), c.op("MatMul", [value(a, adjX), value(b, adjY)]));
};

const fullyConnected: Lower = (c, view) => {
  const [x, w, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const bias = view.inputs[2];
  const [units = 1, depth = 1] = w.shape;
  const batch = elementsOf(x.shape) / depth;
  const flat = c.take(x, identity(x.shape.length));
  const rows = x.shape.length === 2 && x.shape[1] === depth ? flat : c.reshape(flat, [batch, depth]);
  // Weights that are there the other way round are as good.
  const turned = c.layouts(w).has("10") && !c.layouts(w).has("01");
  const weights = c.take(w, turned ? "10" : "01");
  const inputs = [rows, weights, ...(bias ? [c.take(bias, "0")] : [])];
  const product = c.op("Gemm", inputs, { transB: turned ? 0 : 1 });
  const result = activated(c, (view.attrs as { readonly activation: Activation }).activation, product);
  const shaped = output.shape.length === 2 && output.shape[1] === units ? result : c.reshape(result, output.shape);
  c.give(output, identity(output.shape.length), shaped);
};

/**
 * Quantization per tensor to int8 is a pair of operators that ONNX Runtime has fast code for; everything else is spelled out.
 */
const fakeQuantize: Lower = (c, view) => {
  const [x, scale, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const { low, high, zeroPoint } = view.attrs as {
    readonly low: number;
    readonly high: number;
    readonly zeroPoint: number;
  };
  const layout = commonLayout(c, view, output);
  const value = c.take(x, layout);
  if (low === -128 && high === 127 && elementsOf(scale.shape) === 1) {
    const step = c.op("Exp", [c.reshape(c.take(scale, identity(scale.shape.length)), [])]);
    const zero = c.writer.constant("int8", [], Int8Array.of(zeroPoint));
    const integers = c.op("QuantizeLinear", [value, step, zero]);
    c.give(output, layout, c.op("DequantizeLinear", [integers, step, zero]));
    return;
  }
  const step = c.op("Exp", [operand(c, scale, output.shape.length, layout)]);
  const rounded = c.op("Round", [c.op("Div", [value, step])]);
  const limits = [low - zeroPoint, high - zeroPoint].map((limit) => c.floats([], [limit]));
  c.give(output, layout, c.op("Mul", [c.op("Clip", [rounded, ...limits]), step]));
};

/** Operators that compute element by element, over axes, or of matrices. */
export const elementwiseLowerings = {
  ABS: named("Abs"),
  ADD: arithmetic("Add"),
  SUB: arithmetic("Sub"),
  MUL: arithmetic("Mul"),
  DIV: arithmetic("Div"),
  MAXIMUM: named("Max"),
  MINIMUM: named("Min"),
  SQUARED_DIFFERENCE: elementwise((c, inputs) => {
    const difference = c.op("Sub", inputs);
    return c.op("Mul", [difference, difference]);
  }),
  PRELU: named("PRelu"),
  ELU: named("Elu"),
  EXP: named("Exp"),
  LOG: named("Log"),
  LOGISTIC: named("Sigmoid"),
  NEG: named("Neg"),
  SQRT: named("Sqrt"),
  RSQRT: elementwise((c, inputs) => c.op("Reciprocal", [c.op("Sqrt", inputs)])),
  TANH: named("Tanh"),
  HARD_SWISH: named("HardSwish"),
  LEAKY_RELU: elementwise((c, inputs, attrs) =>
    c.op("LeakyRelu", inputs, { alpha: { float: Number(attrs["alpha"]) } }),
  ),
  RELU: activation("RELU"),
  RELU6: activation("RELU6"),
  RELU_N1_TO_1: activation("RELU_N1_TO_1"),
  ACOS: named("Acos"),
  ACOSH: named("Acosh"),
  ASIN: named("Asin"),
  ASINH: named("Asinh"),
  ATAN: named("Atan"),
  ATANH: named("Atanh"),
  CEIL: named("Ceil"),
  COS: named("Cos"),
  COSH: named("Cosh"),
  ERF: named("Erf"),
  FLOOR: named("Floor"),
  ROUND: named("Round"),
  SIGN: named("Sign"),
  SIN: named("Sin"),
  SINH: named("Sinh"),
  TAN: named("Tan"),
  SOFTPLUS: named("Softplus"),
  POW: named("Pow"),
  EQUAL: named("Equal"),
  GREATER: named("Greater"),
  GREATER_EQUAL: named("GreaterOrEqual"),
  LESS: named("Less"),
  LESS_EQUAL: named("LessOrEqual"),
  LOGICAL_AND: named("And"),
  LOGICAL_OR: named("Or"),
  LOGICAL_XOR: named("Xor"),
  LOGICAL_NOT: named("Not"),
  SELECT_V2: named("Where"),
  NOT_EQUAL: elementwise((c, inputs) => c.op("Not", [c.op("Equal", inputs)])),
  GELU: elementwise(gelu),
  IN_RANGE: inRange,
  REDUCE_MIN: reduction("ReduceMin"),
  REDUCE_PROD: reduction("ReduceProd"),
  SOFTMAX: overLast((c, value, axis, view) => {
    const { beta } = view.attrs as { readonly beta: number };
    return c.op("Softmax", [beta === 1 ? value : c.op("Mul", [value, c.floats([], [beta])])], { axis });
  }),
  LOG_SOFTMAX: overLast((c, value, axis) => c.op("LogSoftmax", [value], { axis })),
  SUM: reduction("ReduceSum"),
  MEAN: reduction("ReduceMean"),
  REDUCE_MAX: reduction("ReduceMax"),
  ARG_MAX: argument("ArgMax"),
  ARG_MIN: argument("ArgMin"),
  CAST: cast,
  BATCH_MATMUL: matmul,
  FULLY_CONNECTED: fullyConnected,
  FAKE_QUANTIZE: fakeQuantize,
} as const satisfies Partial<Record<OpName, Lower>>;
