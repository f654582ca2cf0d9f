import type { DType } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import type { OpName } from "../../../ops/index.js";
import { type BinaryName, binary, binaryAttrs, castTo, select, unary } from "./arithmetic.js";
import {
  boolean,
  compute,
  float,
  number,
  type OnnxNode,
  type OnnxOperator,
  operator,
  requireOption,
} from "./context.js";

/** Operators that one of ours is, of one float. */
const functions: readonly (readonly [name: string, op: OpName, quantizable?: "computes"])[] = [
  ["Abs", "ABS", "computes"],
  ["Exp", "EXP", "computes"],
  ["Log", "LOG", "computes"],
  ["Sqrt", "SQRT", "computes"],
  ["Floor", "FLOOR", "computes"],
  ["Ceil", "CEIL", "computes"],
  ["Round", "ROUND", "computes"],
  ["Sign", "SIGN", "computes"],
  ["Sin", "SIN", "computes"],
  ["Cos", "COS", "computes"],
  ["Tan", "TAN", "computes"],
  ["Asin", "ASIN", "computes"],
  ["Acos", "ACOS", "computes"],
  ["Atan", "ATAN", "computes"],
  ["Sinh", "SINH", "computes"],
  ["Cosh", "COSH", "computes"],
  ["Asinh", "ASINH", "computes"],
  ["Acosh", "ACOSH", "computes"],
  ["Atanh", "ATANH", "computes"],
  ["Erf", "ERF", "computes"],
  ["Softplus", "SOFTPLUS", "computes"],
  ["Sigmoid", "LOGISTIC", "computes"],
  ["Tanh", "TANH", "computes"],
  ["Relu", "RELU", "computes"],
  ["HardSwish", "HARD_SWISH", "computes"],
];

/** A float function written with several of our operators. */
const composed = (name: string, make: (n: OnnxNode, x: Tensor) => Tensor, limits = ""): OnnxOperator =>
  operator({ name, types: float, limits, make: (n) => make(n, n.input(0)) });

/** max(min(x, high), low), as an activation where the bounds are one's. */
function clamp(n: OnnxNode, x: Tensor, low: number, high: number): Tensor {
  const known = { "0,6": "RELU6", "0,Infinity": "RELU", "-1,1": "RELU_N1_TO_1" } as const;
  const op = known[`${low},${high}` as keyof typeof known];
  if (op !== undefined && x.dtype !== "int32") return compute(n, op, [x]);
  if (x.quant !== null) n.b.giveUp();
  const above = high === Infinity ? x : binary(n.b, "MINIMUM", x, high);
  return low === -Infinity ? above : binary(n.b, "MAXIMUM", above, low);
}

/** Bounds are attributes up to operator set 10, and inputs, constant or not, from 11 on. */
function clip(n: OnnxNode): Tensor {
  const x = n.input(0);
  const given = [n.optional(1), n.optional(2)];
  const isConstant = given.every((t) => t === null || t.data !== null);
  const wide = x.dtype === "int32" ? [-2147483648, 2147483647] : [-Infinity, Infinity];
  const ends = (value: number, infinite: number): number => (Math.abs(value) >= 3.4e38 ? infinite : value);
  if (isConstant) {
    const bound = (i: number): number =>
      given[i] === null || given[i] === undefined
        ? n.attr.float(i === 0 ? "min" : "max", wide[i] ?? 0)
        : Number(given[i]?.data?.[0] ?? 0);
    return clamp(n, x, ends(bound(0), -Infinity), ends(bound(1), Infinity));
  }
  const [low, high] = given;
  const below = high ? binary(n.b, "MINIMUM", x, high) : x;
  return low ? binary(n.b, "MAXIMUM", below, low) : below;
}

/** Function attributes with ONNX's defaults, from which the rest follows. */
const activations: readonly OnnxOperator[] = [
  operator({ name: "Clip", types: number, quantizable: "computes", make: clip, takesSaturated: true }),
  operator({
    name: "LeakyRelu",
    types: float,
    quantizable: "computes",
    make: (n) => compute(n, "LEAKY_RELU", [n.input(0)], { alpha: n.attr.float("alpha", 0.01) }),
  }),
  operator({
    name: "PRelu",
    types: float,
    make: (n) => {
      const [x, slope] = [n.input(0), n.input(1)];
      // Up to operator set 6, a slope for each channel of axis 1 needed no shape to say so.
      const perChannel = n.opset < 7 && slope.shape.length === 1 && slope.shape[0] !== 1;
      const shaped = perChannel
        ? n.b.reshape(slope, [slope.shape[0] ?? 1, ...new Array(x.shape.length - 2).fill(1)])
        : slope;
      const positive = unary(n.b, "RELU", x);
      return binary(n.b, "ADD", positive, binary(n.b, "MUL", binary(n.b, "MINIMUM", x, 0), shaped));
    },
  }),
  composed("Elu", (n, x) => scaledElu(n, x, n.attr.float("alpha", 1), 1)),
  composed("Selu", (n, x) => scaledElu(n, x, n.attr.float("alpha", 1.67326319), n.attr.float("gamma", 1.05070102))),
  composed("Celu", (n, x) => {
    const alpha = n.attr.float("alpha", 1);
    const bent = unary(n.b, "ELU", binary(n.b, "MUL", binary(n.b, "MINIMUM", x, 0), 1 / alpha));
    return binary(n.b, "ADD", unary(n.b, "RELU", x), binary(n.b, "MUL", bent, alpha));
  }),
  composed("ThresholdedRelu", (n, x) => {
    const isAbove = binary(n.b, "GREATER", x, n.attr.float("alpha", 1));
    return select(n.b, isAbove, x, n.b.scalar(0));
  }),
  composed("HardSigmoid", (n, x) => {
    const line = binary(n.b, "ADD", binary(n.b, "MUL", x, n.attr.float("alpha", 0.2)), n.attr.float("beta", 0.5));
    return clamp(n, line, 0, 1);
  }),
  composed("Softsign", (n, x) => binary(n.b, "DIV", x, binary(n.b, "ADD", unary(n.b, "ABS", x), 1))),
  composed("Reciprocal", (n, x) => binary(n.b, "DIV", 1, x)),
  composed("Mish", (n, x) => binary(n.b, "MUL", x, unary(n.b, "TANH", unary(n.b, "SOFTPLUS", x)))),
  composed("Swish", (n, x) => {
    const alpha = n.attr.float("alpha", 1);
    return binary(n.b, "MUL", x, unary(n.b, "LOGISTIC", alpha === 1 ? x : binary(n.b, "MUL", x, alpha)));
  }),
  composed("Shrink", (n, x) => {
    const [bias, lambd] = [n.attr.float("bias", 0), n.attr.float("lambd", 0.5)];
    const small = binary(n.b, "MUL", x, 0);
    const low = select(n.b, binary(n.b, "LESS", x, -lambd), binary(n.b, "ADD", x, bias), small);
    return select(n.b, binary(n.b, "GREATER", x, lambd), binary(n.b, "SUB", x, bias), low);
  }),
  operator({
    name: "Gelu",
    types: float,
    make: (n) => compute(n, "GELU", [n.input(0)], { approximate: n.attr.text("approximate", "none") === "tanh" }),
  }),
];

/** gamma * (max(x, 0) + alpha * (e^min(x, 0) - 1)). */
function scaledElu(n: OnnxNode, x: Tensor, alpha: number, gamma: number): Tensor {
  if (alpha === 1 && gamma === 1) return unary(n.b, "ELU", x);
  const bent = binary(n.b, "MUL", unary(n.b, "ELU", binary(n.b, "MINIMUM", x, 0)), alpha);
  const sum = binary(n.b, "ADD", unary(n.b, "RELU", x), bent);
  return gamma === 1 ? sum : binary(n.b, "MUL", sum, gamma);
}

/**
 * The second operand under the shape that numpy's broadcasting expects. Up to operator set 6 an attribute said along which
 * axes it repeats.
 */
function operands(n: OnnxNode): readonly [Tensor, Tensor] {
  const [left, right] = [n.input(0), n.input(1)];
  const axis = n.attr.int("axis", null);
  if (n.opset >= 7 || n.attr.int("broadcast", 0) !== 1 || axis === null) return [left, right];
  const trailing = left.shape.length - (axis < 0 ? axis + left.shape.length : axis) - right.shape.length;
  return [left, trailing > 0 ? n.b.reshape(right, [...right.shape, ...new Array(trailing).fill(1)]) : right];
}

const pairs: readonly (readonly [name: string, op: BinaryName, types: readonly DType[], quantizable?: "computes"])[] = [
  ["Add", "ADD", number, "computes"],
  ["Sub", "SUB", number, "computes"],
  ["Mul", "MUL", number, "computes"],
  ["Div", "DIV", number],
  ["Equal", "EQUAL", [...number, "bool"]],
  ["Greater", "GREATER", number],
  ["GreaterOrEqual", "GREATER_EQUAL", number],
  ["Less", "LESS", number],
  ["LessOrEqual", "LESS_EQUAL", number],
  ["And", "LOGICAL_AND", boolean],
  ["Or", "LOGICAL_OR", boolean],
  ["Xor", "LOGICAL_XOR", boolean],
];

/** Any number of inputs, combined one after another. */
const variadic = (name: string, op: "ADD" | "MINIMUM" | "MAXIMUM", finish: (n: OnnxNode, x: Tensor) => Tensor) =>
  operator({
    name,
    types: op === "ADD" ? float : number,
    make: (n) => {
      const inputs = Array.from({ length: n.inputCount }, (_, i) => n.input(i));
      return finish(
        n,
        inputs.slice(1).reduce((sum, x) => binary(n.b, op, sum, x), n.input(0)),
      );
    },
  });

/** Integer powers are computed in integers; those of other types in float, and converted back. */
function power(n: OnnxNode): Tensor {
  const [base, exponent] = operands(n);
  if (base.dtype === "float32" && exponent.data?.length === 1) {
    const value = Number(exponent.data[0]);
    if (value === 1) return base;
    if (value === 2) return binary(n.b, "MUL", base, base);
    if (value === 0.5) return unary(n.b, "SQRT", base);
  }
  if (base.dtype === "int32" && exponent.dtype === "float32")
    return castTo(n.b, binary(n.b, "POW", castTo(n.b, base, "float32"), exponent), "int32");
  return binary(n.b, "POW", base, castTo(n.b, exponent, base.dtype));
}

const logic: readonly OnnxOperator[] = [
  operator({
    name: "Neg",
    types: number,
    make: (n) => (n.input(0).dtype === "int32" ? binary(n.b, "SUB", 0, n.input(0)) : unary(n.b, "NEG", n.input(0))),
  }),
  operator({ name: "Not", types: boolean, make: (n) => unary(n.b, "LOGICAL_NOT", n.input(0)) }),
  operator({ name: "IsNaN", types: float, make: (n) => binary(n.b, "NOT_EQUAL", n.input(0), n.input(0)) }),
  operator({
    name: "IsInf",
    types: float,
    make: (n) => {
      const x = n.input(0);
      // The difference of an infinity and itself is no number, that of any other number is.
      const rest = binary(n.b, "SUB", x, x);
      const isInfinite = binary(n.b, "LOGICAL_AND", binary(n.b, "NOT_EQUAL", rest, rest), binary(n.b, "EQUAL", x, x));
      const [negative, positive] = [n.attr.int("detect_negative", 1), n.attr.int("detect_positive", 1)];
      if (negative === 1 && positive === 1) return isInfinite;
      const side = negative === 1 ? "LESS" : "GREATER";
      if (negative !== 1 && positive !== 1) return binary(n.b, "LOGICAL_XOR", isInfinite, isInfinite);
      return binary(n.b, "LOGICAL_AND", isInfinite, binary(n.b, side, x, 0));
    },
  }),
  operator({
    name: "Where",
    types: boolean,
    make: (n) => select(n.b, n.input(0), n.input(1), n.input(2)),
  }),
];

const identity = (name: string): OnnxOperator =>
  operator({
    name,
    types: ["float32", "int32", "bool", "uint8", "int8", "int16"],
    quantizable: "moves",
    limits: name === "Dropout" ? "inference, or a ratio of 0" : "",
    takesSaturated: true,
    make: (n) => {
      const x = n.input(0);
      if (name === "Identity") return x;
      const ratio = n.has(1) ? (n.constants(1, "ratio")[0] ?? 0) : 0.5;
      const isTraining = n.has(2) && n.constants(2, "training_mode")[0] === 1;
      requireOption(n, !isTraining || ratio === 0, "training_mode", "true", "false");
      return [x, ...(n.wants(1) ? [maskOf(n, x)] : [])];
    },
  });

/** What Dropout kept: everything. Up to operator set 9 the mask has the data's type. */
const maskOf = (n: OnnxNode, x: Tensor): Tensor => {
  const dtype = n.opset < 10 ? x.dtype : "bool";
  const count = x.shape.reduce((product, size) => product * size, 1);
  return n.b.constant(dtype, x.shape, new Array<number>(count).fill(1));
};

export const elementwise: readonly OnnxOperator[] = [
  ...functions.map(([name, op, quantizable]) =>
    operator({
      name,
      types: float,
      quantizable: quantizable ?? "never",
      make: (n) => compute(n, op, [n.input(0)]),
    }),
  ),
  ...activations,
  ...pairs.map(([name, op, types, quantizable]) =>
    operator({
      name,
      types,
      quantizable: quantizable ?? "never",
      make: (n) => {
        const [left, right] = operands(n);
        const attrs = binaryAttrs[op];
        const isLogic = types === boolean || ["EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"].includes(op);
        return compute(n, op, [left, right], attrs, isLogic ? { dtype: "bool", quant: null } : {});
      },
    }),
  ),
  variadic("Sum", "ADD", (_, x) => x),
  variadic("Mean", "ADD", (n, x) => binary(n.b, "MUL", x, 1 / n.inputCount)),
  variadic("Max", "MAXIMUM", (_, x) => x),
  variadic("Min", "MINIMUM", (_, x) => x),
  operator({ name: "Pow", types: number, make: power }),
  operator({
    name: "Mod",
    types: number,
    make: (n) => binary(n.b, n.attr.int("fmod", 0) === 1 ? "FMOD" : "FLOOR_MOD", n.input(0), n.input(1)),
  }),
  ...logic,
  identity("Identity"),
  identity("Dropout"),
];
