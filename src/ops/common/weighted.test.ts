import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { depthwiseConv2d } from "../depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../fully_connected/fully_connected.js";
import { transposeConv } from "../transpose_conv/transpose_conv.js";
import { index, inferOp, runOp, type TestTensor } from "./testing.js";

const floats = (shape: readonly number[], data: readonly number[], constant = false): TestTensor => ({
  dtype: "float32",
  shape,
  data,
  constant,
});
const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

test("depthwise convolution gives the values of TFLite's SimpleTest", () => {
  const filter = [1, 2, 3, 4, -9, 10, -11, 12, 5, 6, 7, 8, 13, -14, 15, -16];
  const attrs = { padding: "VALID", stride: [1, 1], dilation: [1, 1], depthMultiplier: 2, activation: "NONE" } as const;
  const [out] = runOp(
    depthwiseConv2d,
    attrs,
    [
      floats([1, 3, 2, 2], [1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12]),
      floats([1, 2, 2, 4], filter, true),
      floats([4], [1, 2, 3, 4], true),
    ],
    [{ dtype: "float32" }],
  );
  expect(out).toEqual({ shape: [1, 2, 1, 4], data: [71, -34, 99, -20, 91, -26, 127, -4] });
});

test("padding that is no number is reported", () => {
  const attrs = {
    padding: [Number.NaN, 0, 0, 0],
    stride: [1, 1],
    dilation: [1, 1],
    depthMultiplier: 1,
    activation: "NONE",
  } as const;
  const inputs = [floats([1, 2, 2, 1], [1, 2, 3, 4]), floats([1, 1, 1, 1], [1], true)];
  const { types, problems } = inferOp(depthwiseConv2d, attrs, inputs, [{ dtype: "float32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual(["TH2007"]);
});

test("transposed convolution gives the values of TFLite's SimpleTest", () => {
  const attrs = { padding: "SAME", stride: [1, 1], activation: "NONE" } as const;
  const [out] = runOp(
    transposeConv,
    attrs,
    [index([1, 4, 4, 1]), floats([1, 3, 3, 1], upTo(9), true), floats([1, 4, 4, 1], upTo(16))],
    [{ dtype: "float32" }],
  );
  expect(out?.data).toEqual([29, 62, 83, 75, 99, 192, 237, 198, 207, 372, 417, 330, 263, 446, 485, 365]);
});

test("a fully connected layer subtracts both zero points and rounds twice", () => {
  // (3 - 1)(4 - 2) + (5 - 1)(1 - 2) = 0, so the sums are the biases; 12 / 8 = 1.5 and -12 / 8 = -1.5 round away.
  const [out] = runOp(
    fullyConnected,
    { activation: "NONE", keepNumDims: false },
    [
      { dtype: "int8", shape: [1, 2], data: [3, 5], quant: perTensor(0.5, 1) },
      { dtype: "int8", shape: [3, 2], data: [4, 1, 4, 1, 4, 1], quant: perTensor(0.25, 2), constant: true },
      { dtype: "int32", shape: [3], data: [12, -12, 4000], constant: true },
    ],
    [{ dtype: "int8", quant: perTensor(1, -1) }],
  );
  expect(out).toEqual({ shape: [1, 3], data: [1, -3, 127] });
});

test("the product of scales is float32 for a fully connected layer quantized per tensor", () => {
  // In float32 0.1 * 0.1 is 0.010000000707805157, in double 0.010000000298023226: the multipliers differ.
  const view = inferOp(
    fullyConnected,
    { activation: "NONE", keepNumDims: false },
    [
      { dtype: "int8", shape: [1, 1], data: [0], quant: perTensor(0.1) },
      { dtype: "int8", shape: [1, 1], data: [1], quant: perTensor(0.1), constant: true },
    ],
    [{ dtype: "int8", quant: perTensor(1) }],
  ).view;
  const call = fullyConnected.kernels[0]?.call(view);
  const multiplier = call?.args.find((a) => a.kind === "constant" && a.label === "multipliers");
  const expected = Math.round(Math.fround(Math.fround(0.1) * Math.fround(0.1)) * 2 ** 6 * 2 ** 31);
  expect(multiplier?.kind === "constant" && multiplier.data[0]).toBe(expected);
});

test("asymmetric weights are refused where the kernels have no zero point", () => {
  const weights = { dtype: "int8", shape: [2, 1], data: [1, 1], constant: true } as const;
  const quant = { scales: [0.1, 0.2], zeroPoints: [0, 3], axis: 0 };
  const { problems } = inferOp(
    fullyConnected,
    { activation: "NONE", keepNumDims: false },
    [
      { dtype: "int8", shape: [1, 1], data: [0], quant: perTensor(0.1) },
      { ...weights, quant },
    ],
    [{ dtype: "int8", quant: perTensor(1) }],
  );
  expect(problems.map((p) => p.code)).toEqual(["TH2006"]);
});
