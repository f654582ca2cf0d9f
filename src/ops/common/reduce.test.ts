import { describe, expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { mean } from "../mean/mean.js";
import { reduceMax } from "../reduce_max/reduce_max.js";
import { sum } from "../sum/sum.js";
import { reduceSizes } from "./reduce.js";
import { sumMultiplier } from "./reduce-sum.js";
import { index, inferOp, runOp } from "./testing.js";

const numbers = { dtype: "float32", shape: [4, 3, 2], data: Array.from({ length: 24 }, (_, i) => i + 1) } as const;

describe("float values of TFLite's tests", () => {
  test("mean over repeated and negative axes", () => {
    const [out] = runOp(mean, { keepDims: false }, [numbers, index([1, 0, -3, -3])], [{ dtype: "float32" }]);
    expect(out).toEqual({ shape: [2], data: [12, 13] });
  });
  test("mean with its axes kept", () => {
    const [out] = runOp(mean, { keepDims: true }, [numbers, index([0, 2])], [{ dtype: "float32" }]);
    expect(out).toEqual({ shape: [1, 3, 1], data: [10.5, 12.5, 14.5] });
  });
  test("sum and maximum", () => {
    expect(runOp(sum, { keepDims: false }, [numbers, index([0, 2])], [{ dtype: "float32" }])[0]?.data).toEqual([
      84, 100, 116,
    ]);
    expect(runOp(reduceMax, { keepDims: false }, [numbers, index([0, 2])], [{ dtype: "float32" }])[0]?.data).toEqual([
      20, 22, 24,
    ]);
  });
});

test("an int8 mean rounds halves up after dividing its multiplier", () => {
  const quant = perTensor(0.5, 0);
  const run = (data: readonly number[]) =>
    runOp(
      mean,
      { keepDims: false },
      [{ dtype: "int8", shape: [data.length], data, quant }, index([0])],
      [{ dtype: "int8", quant }],
    )[0]?.data;
  expect(run([1, 2])).toEqual([2]);
  expect(run([-1, -2])).toEqual([-1]);
  expect(run([2, 3, 4])).toEqual([3]);
});

test("zero points leave a sum once for every element", () => {
  const input = { dtype: "int8", shape: [3], data: [10, 11, 12], quant: perTensor(1, 10) } as const;
  const [out] = runOp(sum, { keepDims: true }, [input, index([0])], [{ dtype: "int8", quant: perTensor(1, -5) }]);
  expect(out).toEqual({ shape: [1], data: [-2] });
});

test("the multiplier of a mean is truncated, not rounded", () => {
  // 1 = 2^30 * 2^(1 - 31); for three elements shifted left by one: trunc(2^31 / 3).
  expect(sumMultiplier("mean", 1, 3)).toEqual({ multiplier: 715827882, shift: 0 });
  expect(sumMultiplier("sum", 1, 3)).toEqual({ multiplier: 2 ** 30, shift: 1 });
  // The shift must not fall below -31.
  expect(sumMultiplier("mean", 2 ** -30, 1024).shift).toBe(-31);
});

test("neighbouring axes merge", () => {
  expect(reduceSizes([2, 3, 1, 5, 7], new Set([1, 3]))).toEqual({
    outer: 2,
    first: 15,
    middle: 7,
    second: 1,
    inner: 1,
  });
  expect(reduceSizes([2, 3, 5], new Set([0, 2]))).toEqual({ outer: 1, first: 2, middle: 3, second: 5, inner: 1 });
  expect(reduceSizes([2, 3, 2, 3, 2], new Set([0, 2, 4]))).toBeNull();
});

test.each([
  ["an axis out of range", index([3]), "TH2013"],
  ["axes computed at run time", { ...index([0]), constant: false }, "TH2008"],
])("%s is reported", (_, axes, code) => {
  const { types, problems } = inferOp(mean, { keepDims: false }, [numbers, axes], [{ dtype: "float32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual([code]);
});
