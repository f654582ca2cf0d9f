import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { inferOp, runOp, type TestTensor } from "../common/testing.js";
import { batchMatmul } from "./batch_matmul.js";

const floats = (shape: readonly number[], from: number): TestTensor => ({
  dtype: "float32",
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + from),
});
const plain = { adjX: false, adjY: false };

test("the values of TFLite's tests, with and without broadcasting", () => {
  const simple = runOp(batchMatmul, plain, [floats([1, 2, 3], 1), floats([1, 3, 4], 7)], [{ dtype: "float32" }]);
  expect(simple).toEqual([{ shape: [1, 2, 4], data: [74, 80, 86, 92, 173, 188, 203, 218] }]);
  const twice = runOp(batchMatmul, plain, [floats([2, 2, 3], 1), floats([3, 4], 7)], [{ dtype: "float32" }]);
  const data = [74, 80, 86, 92, 173, 188, 203, 218, 272, 296, 320, 344, 371, 404, 437, 470];
  expect(twice).toEqual([{ shape: [2, 2, 4], data }]);
});

test("either matrix transposed", () => {
  // [[1, 2, 3], [4, 5, 6]] transposed times [[1, 2], [3, 4]], and times its transpose.
  const left = floats([2, 3], 1);
  expect(
    runOp(batchMatmul, { adjX: true, adjY: false }, [left, floats([2, 2], 1)], [{ dtype: "float32" }])[0]?.data,
  ).toEqual([13, 18, 17, 24, 21, 30]);
  expect(
    runOp(batchMatmul, { adjX: true, adjY: true }, [left, floats([2, 2], 1)], [{ dtype: "float32" }])[0]?.data,
  ).toEqual([9, 19, 12, 26, 15, 33]);
});

test("both zero points of int8 are subtracted", () => {
  const left = { dtype: "int8", shape: [1, 2], data: [-126, -125], quant: perTensor(0.5, -128) } as const;
  const right = { dtype: "int8", shape: [2, 1], data: [11, 12], quant: perTensor(0.5, 10) } as const;
  // (2 * 1 + 3 * 2) / 4 - 5
  expect(runOp(batchMatmul, plain, [left, right], [{ dtype: "int8", quant: perTensor(1, -5) }])[0]?.data).toEqual([-3]);
});

test.each([
  ["inner sizes that differ", [2, 3], [4, 2]],
  ["batches that do not broadcast", [2, 2, 3], [3, 3, 2]],
])("%s are reported", (_, left, right) => {
  const { types, problems } = inferOp(batchMatmul, plain, [floats(left, 0), floats(right, 0)], [{ dtype: "float32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual(["TH2005"]);
});
