/** ONNX models made in tests, written with the format's own library. */
import onnxProto from "onnx-proto";
import { seededRandom } from "../src/base/random.js";
import type { ModelProto, NodeProto, TensorProto } from "../src/formats/onnx/proto.js";

type Attribute = number | string | readonly number[] | readonly string[];

/** A node; integers and lists of them are integer attributes, `{ float }` a float one. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attrs: Readonly<Record<string, Attribute | { readonly float: number }>> = {},
  domain = "",
): NodeProto {
  const encode = new TextEncoder();
  const attribute = Object.entries(attrs).map(([name, value]) => {
    if (typeof value === "number") return { name, type: 2, i: value };
    if (typeof value === "string") return { name, type: 3, s: encode.encode(value) };
    if ("float" in value) return { name, type: 1, f: value.float };
    if (typeof value[0] === "string") return { name, type: 8, strings: value.map((v) => encode.encode(String(v))) };
    return { name, type: 7, ints: value.map(Number) };
  });
  return { name: `${opType}_${output[0] ?? ""}`, opType, input: [...input], output: [...output], attribute, domain };
}

const types = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type ElementType = keyof typeof types;

/** A constant tensor. */
export function constant(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
  type: ElementType = "float32",
): TensorProto {
  const list = Array.from(values);
  const field = type === "float32" ? { floatData: list } : type === "int64" ? { int64Data: list } : { int32Data: list };
  return { name, dims: [...dims], dataType: types[type], ...field };
}

/** A constant of seeded random floats. */
export function randomConstant(name: string, dims: readonly number[], scale = 0.5, offset = 0): TensorProto {
  const random = seededRandom(name.length * 977 + dims.reduce((a, b) => a * 31 + b, 7));
  const values = Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    () => offset + scale * (2 * random.unit() - 1),
  );
  return constant(name, dims, values);
}

const port = (name: string, type: ElementType, dims: readonly (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType: types[type],
      shape: { dim: dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d })) },
    },
  },
});

/** A model of one input and one output of floats, as a file. */
export function modelFile(
  inputs: Readonly<Record<string, readonly (number | string)[]>>,
  output: string,
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
  opset = 17,
): Uint8Array {
  const model: ModelProto = {
    irVersion: 8,
    producerName: "thimble tests",
    opsetImport: [
      { domain: "", version: opset },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: {
      name: "test",
      node: [...nodes],
      initializer: [...initializers],
      input: Object.entries(inputs).map(([name, dims]) => port(name, "float32", dims)),
      output: [{ name: output, type: { tensorType: { elemType: 1 } } }],
    },
  };
  return onnxProto.onnx.ModelProto.encode(model).finish();
}

/** Small networks of the kinds that PyTorch and Keras export: images are [batch, channels, height, width]. */
export interface NetworkFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Permutations that no rewriting can avoid. */
  readonly transposes: number;
}

/** Scale, shift, mean and variance of a batch normalisation. */
const norm = (name: string, channels: number): readonly TensorProto[] => [
  randomConstant(`${name}.scale`, [channels], 0.2, 1),
  randomConstant(`${name}.bias`, [channels], 0.1),
  randomConstant(`${name}.mean`, [channels], 0.1),
  randomConstant(`${name}.var`, [channels], 0.2, 1),
];
const normNode = (name: string, x: string, y: string): NodeProto =>
  node("BatchNormalization", [x, `${name}.scale`, `${name}.bias`, `${name}.mean`, `${name}.var`], [y]);

const conv = (w: string, x: string, y: string, attrs: Parameters<typeof node>[3] = {}): NodeProto =>
  node("Conv", [x, w], [y], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], ...attrs });

function residualCnn(): NetworkFile {
  const nodes = [
    node("Sub", ["x", "mean"], ["centred"]),
    conv("w1", "centred", "c1", { strides: [2, 2] }),
    normNode("n1", "c1", "b1"),
    node("Relu", ["b1"], ["r1"]),
    conv("w2", "r1", "c2", { group: 8 }),
    normNode("n2", "c2", "b2"),
    node("Clip", ["b2", "zero", "six"], ["r2"]),
    node("Conv", ["r2", "w3"], ["c3"], { kernel_shape: [1, 1] }),
    normNode("n3", "c3", "b3"),
    node("Add", ["b3", "r1"], ["sum"]),
    node("MaxPool", ["sum"], ["p"], { kernel_shape: [2, 2], strides: [2, 2] }),
    node("Flatten", ["p"], ["flat"]),
    node("Gemm", ["flat", "w4", "bias4"], ["scores"], { transB: 1 }),
    node("Softmax", ["scores"], ["y"], { axis: 1 }),
  ];
  const constants = [
    randomConstant("mean", [3, 1, 1]),
    randomConstant("w1", [8, 3, 3, 3]),
    randomConstant("w2", [8, 1, 3, 3]),
    randomConstant("w3", [8, 8, 1, 1]),
    randomConstant("w4", [5, 8 * 2 * 3], 0.3),
    randomConstant("bias4", [5]),
    constant("zero", [], [0]),
    constant("six", [], [6]),
    ...["n1", "n2", "n3"].flatMap((n) => norm(n, 8)),
  ];
  return {
    name: "residual, flattened",
    bytes: modelFile({ x: ["batch", 3, 8, 12] }, "y", nodes, constants),
    inputs: { x: [1, 3, 8, 12] },
    transposes: 0,
  };
}

function squeezeExcite(): NetworkFile {
  const nodes = [
    conv("w1", "x", "c1"),
    node("HardSwish", ["c1"], ["h"]),
    node("GlobalAveragePool", ["h"], ["g"]),
    node("Conv", ["g", "w2"], ["s1"], { kernel_shape: [1, 1] }),
    node("Relu", ["s1"], ["s2"]),
    node("Conv", ["s2", "w3"], ["s3"], { kernel_shape: [1, 1] }),
    node("HardSigmoid", ["s3"], ["s4"], { alpha: { float: 1 / 6 } }),
    node("Mul", ["h", "s4"], ["scaled"]),
    node("ReduceMean", ["scaled"], ["m"], { axes: [2, 3], keepdims: 0 }),
    node("MatMul", ["m", "w4"], ["d"]),
    node("Add", ["d", "b4"], ["y"]),
  ];
  const constants = [
    randomConstant("w1", [6, 3, 3, 3]),
    randomConstant("w2", [2, 6, 1, 1]),
    randomConstant("w3", [6, 2, 1, 1]),
    randomConstant("w4", [6, 4]),
    randomConstant("b4", [4]),
  ];
  return {
    name: "squeeze and excite",
    bytes: modelFile({ x: [1, 3, 6, 5] }, "y", nodes, constants),
    inputs: { x: [1, 3, 6, 5] },
    transposes: 0,
  };
}

function shuffled(): NetworkFile {
  const nodes = [
    node("Conv", ["x", "w1"], ["c1"], { kernel_shape: [1, 1], group: 2 }),
    node("Reshape", ["c1", "split"], ["g"]),
    node("Transpose", ["g"], ["t"], { perm: [0, 2, 1, 3, 4] }),
    node("Reshape", ["t", "join"], ["s"]),
    conv("w2", "s", "c2", { group: 8 }),
    node("Concat", ["c1", "c2"], ["both"], { axis: 1 }),
    node("Pad", ["both", "pads"], ["padded"]),
    node("AveragePool", ["padded"], ["p"], { kernel_shape: [3, 3], strides: [2, 2] }),
    node("Resize", ["p", "", "scales"], ["y"], {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    }),
  ];
  const constants = [
    randomConstant("w1", [8, 2, 1, 1]),
    randomConstant("w2", [8, 1, 3, 3]),
    constant("split", [5], [0, 2, 4, 6, 6], "int64"),
    constant("join", [4], [0, -1, 6, 6], "int64"),
    constant("pads", [8], [0, 0, 1, 0, 0, 0, 0, 1], "int64"),
    constant("scales", [4], [1, 1, 2, 2]),
  ];
  return {
    name: "channel shuffle",
    bytes: modelFile({ x: [1, 4, 6, 6] }, "y", nodes, constants),
    inputs: { x: [1, 4, 6, 6] },
    transposes: 1,
  };
}

function sequence(layer: "LSTM" | "GRU"): NetworkFile {
  const gates = layer === "LSTM" ? 4 : 3;
  const nodes = [
    node("Conv", ["x", "w1", "b1"], ["c"], { kernel_shape: [3], pads: [1, 1], dilations: [1], strides: [2] }),
    node("Relu", ["c"], ["r"]),
    node("Transpose", ["r"], ["t"], { perm: [2, 0, 1] }),
    node(layer, ["t", "w", "rec", "b"], ["", "h"], {
      hidden_size: 5,
      direction: "bidirectional",
      ...(layer === "GRU" ? { linear_before_reset: 1 } : {}),
    }),
    node("Transpose", ["h"], ["hb"], { perm: [1, 0, 2] }),
    node("Flatten", ["hb"], ["f"]),
    node("Gemm", ["f", "wd"], ["y"], { transB: 1 }),
  ];
  const constants = [
    randomConstant("w1", [6, 4, 3]),
    randomConstant("b1", [6]),
    randomConstant("w", [2, gates * 5, 6]),
    randomConstant("rec", [2, gates * 5, 5]),
    randomConstant("b", [2, 2 * gates * 5]),
    randomConstant("wd", [3, 10]),
  ];
  // Steps come before the batch, which is one: nothing moves.
  return {
    name: `${layer} after a convolution`,
    bytes: modelFile({ x: [1, 4, 14] }, "y", nodes, constants),
    inputs: { x: [1, 4, 14] },
    transposes: 0,
  };
}

function decoder(): NetworkFile {
  const nodes = [
    node("ConvTranspose", ["x", "w1", "b1"], ["c1"], { kernel_shape: [4, 4], strides: [2, 2], pads: [1, 1, 1, 1] }),
    node("LeakyRelu", ["c1"], ["r1"], { alpha: { float: 0.2 } }),
    node("Resize", ["r1", "", "scales"], ["u"], { mode: "linear", coordinate_transformation_mode: "half_pixel" }),
    node("InstanceNormalization", ["u", "s", "o"], ["n"]),
    node("Erf", ["n"], ["e"]),
    node("Mul", ["e", "n"], ["m"]),
    conv("w2", "m", "y"),
  ];
  const constants = [
    randomConstant("w1", [4, 6, 4, 4]),
    randomConstant("b1", [6]),
    constant("scales", [4], [1, 1, 2, 2]),
    randomConstant("s", [6], 0.2, 1),
    randomConstant("o", [6], 0.2),
    randomConstant("w2", [2, 6, 3, 3]),
  ];
  return {
    name: "decoder",
    bytes: modelFile({ x: [1, 4, 3, 4] }, "y", nodes, constants),
    inputs: { x: [1, 4, 3, 4] },
    transposes: 0,
  };
}

export const networks: readonly NetworkFile[] = [
  residualCnn(),
  squeezeExcite(),
  shuffled(),
  sequence("LSTM"),
  sequence("GRU"),
  decoder(),
];

/** QuantizeLinear and DequantizeLinear of an activation. */
const qdq = (x: string, y: string, params: string): readonly NodeProto[] => [
  node("QuantizeLinear", [x, `${params}.s`, `${params}.z`], [`${y}.q`]),
  node("DequantizeLinear", [`${y}.q`, `${params}.s`, `${params}.z`], [y]),
];
const scaleOf = (name: string, scale: number, zero: number, type: ElementType): readonly TensorProto[] => [
  constant(`${name}.s`, [], [scale]),
  constant(`${name}.z`, [], [zero], type),
];

/** A convolutional network whose activations and weights are quantized, with int8 or uint8 activations. */
export function quantizedNetwork(type: "int8" | "uint8"): NetworkFile {
  const zero = type === "uint8" ? 128 : 0;
  const random = seededRandom(5);
  const integers = (name: string, dims: readonly number[]): TensorProto =>
    constant(
      name,
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.integer(-127, 127)),
      "int8",
    );
  const weights = (name: string, channels: number, dims: readonly number[], axis: number): readonly TensorProto[] => [
    integers(`${name}.q`, dims),
    constant(
      `${name}.s`,
      [channels],
      Array.from({ length: channels }, (_, i) => 0.004 + 0.0005 * i),
    ),
    constant(`${name}.z`, [channels], new Array(channels).fill(0), "int8"),
    constant(`${name}.axis`, [], [axis], "int32"),
  ];
  const dequantized = (name: string, axis: number): NodeProto =>
    node("DequantizeLinear", [`${name}.q`, `${name}.s`, `${name}.z`], [name], { axis });
  const nodes = [
    ...qdq("x", "xq", "in"),
    dequantized("w1", 0),
    node("Conv", ["xq", "w1", "b1"], ["c1"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node("Relu", ["c1"], ["r1"]),
    ...qdq("r1", "r1q", "a1"),
    dequantized("w2", 0),
    node("Conv", ["r1q", "w2"], ["c2"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 8 }),
    ...qdq("c2", "c2q", "a2"),
    node("Add", ["c2q", "r1q"], ["sum"]),
    ...qdq("sum", "sumq", "a3"),
    node("MaxPool", ["sumq"], ["p"], { kernel_shape: [2, 2], strides: [2, 2] }),
    node("Flatten", ["p"], ["f"]),
    dequantized("w3", 0),
    node("Gemm", ["f", "w3"], ["d"], { transB: 1 }),
    ...qdq("d", "y", "out"),
  ];
  const constants = [
    ...scaleOf("in", 1 / 64, zero, type),
    ...scaleOf("a1", 0.02, zero, type),
    ...scaleOf("a2", 0.05, zero, type),
    ...scaleOf("a3", 0.05, zero, type),
    ...scaleOf("out", 0.1, zero, type),
    ...weights("w1", 8, [8, 3, 3, 3], 0),
    ...weights("w2", 8, [8, 1, 3, 3], 0),
    ...weights("w3", 4, [4, 8 * 3 * 3], 0),
    randomConstant("b1", [8], 0.3),
  ];
  const used = constants.filter((c) => !c.name?.endsWith(".axis"));
  return {
    name: `quantized, ${type}`,
    bytes: modelFile({ x: [1, 3, 6, 6] }, "y", nodes, used),
    inputs: { x: [1, 3, 6, 6] },
    transposes: 0,
  };
}
