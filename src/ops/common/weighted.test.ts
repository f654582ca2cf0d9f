import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { depthwiseConv2d } from "../depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../fully_connected/fully_connected.js";
import { transposeConvGeometry } from "../transpose_conv/geometry.js";
import { transposeConv } from "../transpose_conv/transpose_conv.js";
import { index, inferOp, runOp, type TestTensor } from "./testing.js";

const floats = (shape: readonly number[], data: readonly number[], constant = false): TestTensor => ({
  dtype: "float32",
  shape,
  data,
  constant,
});
const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

/** The fully connected layer's kernels for every target. */
const portable = fullyConnected.kernels.filter((k) => k.isa === undefined);

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
  const call = portable[0]?.call(view);
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

/** A transposed convolution of one column, with the output height of its padding. */
function transposedView(height: number, taps: number, stride: number, padding: "SAME" | "VALID") {
  const full = (height - 1) * stride + taps;
  const outHeight = padding === "SAME" ? height * stride : full;
  const attrs = { padding, stride: [stride, 1], activation: "NONE" } as const;
  const inputs = [
    index([1, outHeight, 1, 1]),
    floats([1, taps, 1, 1], upTo(taps), true),
    floats([1, height, 1, 1], upTo(height)),
  ];
  return { outHeight, view: inferOp(transposeConv, attrs, inputs, [{ dtype: "float32" }]).view };
}

test("the window of a transposed convolution holds every input row with a tap, in order", () => {
  const { rows } = transposeConv.traits;
  if (rows === "none") throw new Error("a window is expected");
  for (const padding of ["SAME", "VALID"] as const) {
    for (const [taps, stride] of [
      [3, 1],
      [3, 2],
      [4, 2],
      [1, 3],
      [2, 3],
      [5, 2],
    ] as const) {
      const { outHeight, view } = transposedView(4, taps, stride, padding);
      const windows = rows(view);
      const window = windows === "none" ? null : windows[2];
      expect(windows).toEqual([null, null, window]);
      const { padTop } = transposeConvGeometry(view);
      for (let y = 0; y < outHeight; y++) {
        const reaching = [0, 1, 2, 3].filter((i) => y + padTop - i * stride >= 0 && y + padTop - i * stride < taps);
        const held = Array.from({ length: window?.taps ?? 0 }, (_, k) => (window?.first(y) ?? 0) + k);
        expect(held).toEqual(expect.arrayContaining(reaching));
      }
    }
  }
});

test("a fully connected layer folds over the rows of one image that is one vector", () => {
  const fold = (shape: readonly number[], depth: number, kernel: number) => {
    const [dtype, quant] = kernel === 2 ? (["int16", perTensor(0.1)] as const) : (["float32", undefined] as const);
    const input = { dtype, shape, data: [], ...(quant ? { quant } : {}) };
    const weights = { ...input, dtype: quant ? "int8" : "float32", shape: [3, depth], constant: true } as const;
    const attrs = { activation: "NONE", keepNumDims: false } as const;
    const { view } = inferOp(fullyConnected, attrs, [input, weights], [{ dtype, ...(quant ? { quant } : {}) }]);
    return portable[kernel]?.fold?.(view);
  };
  const call = fold([1, 4, 3, 5], 60, 4);
  expect(call).toMatchObject({ symbol: "th_fully_connected_f32_fold", scratchBytes: 12 });
  expect(call?.params?.fields).toMatchObject({ in_c: 60, row_c: 15 });
  expect(fold([1, 4, 15], 60, 2)?.scratchBytes).toBe(24);
  expect(fold([1, 4, 3, 5], 15, 4)).toBeNull();
  expect(fold([1, 60], 60, 4)).toBeNull();
  expect(fold([1, 1, 4, 15], 60, 4)).toBeNull();
});
