import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { resizeBilinear } from "../resize_bilinear/resize_bilinear.js";
import { nearest, resizeNearestNeighbor } from "../resize_nearest_neighbor/resize_nearest_neighbor.js";
import { index, inferOp, runOp } from "./testing.js";

const plain = { alignCorners: false, halfPixelCenters: false };
const image = { dtype: "float32", shape: [1, 2, 2, 1], data: [3, 6, 9, 12] } as const;
const quant = perTensor(1);

test("the values of TFLite's two-dimensional tests", () => {
  const bilinear = runOp(resizeBilinear, plain, [image, index([3, 3])], [{ dtype: "float32" }])[0];
  expect(bilinear?.shape).toEqual([1, 3, 3, 1]);
  bilinear?.data.forEach((v, i) => {
    expect(Number(v)).toBeCloseTo([3, 5, 6, 7, 9, 10, 9, 11, 12][i] ?? 0, 5);
  });
  const int8 = { ...image, dtype: "int8", quant } as const;
  expect(runOp(resizeBilinear, plain, [int8, index([3, 3])], [{ dtype: "int8", quant }])[0]?.data).toEqual([
    3, 5, 6, 7, 9, 10, 9, 11, 12,
  ]);
  expect(runOp(resizeNearestNeighbor, plain, [image, index([3, 3])], [{ dtype: "float32" }])[0]?.data).toEqual([
    3, 3, 6, 3, 3, 6, 9, 9, 12,
  ]);
});

test("corners keep their place, and halves round away from zero", () => {
  const row = { dtype: "int8", shape: [1, 1, 2, 1], data: [-1, -2], quant } as const;
  const corners = { alignCorners: true, halfPixelCenters: false };
  expect(runOp(resizeBilinear, corners, [row, index([1, 3])], [{ dtype: "int8", quant }])[0]?.data).toEqual([
    -1, -2, -2,
  ]);
});

test("pixel centres", () => {
  const centers = { alignCorners: false, halfPixelCenters: true };
  // Centres of four pixels over two: -0.25, 0.25, 0.75, 1.25 of [0, 8]; outside, the edge repeats.
  const row = { dtype: "int8", shape: [1, 1, 2, 1], data: [0, 8], quant } as const;
  expect(runOp(resizeBilinear, centers, [row, index([1, 4])], [{ dtype: "int8", quant }])[0]?.data).toEqual([
    0, 2, 6, 8,
  ]);
  expect(Array.from(nearest(2, 4, centers))).toEqual([0, 0, 1, 1]);
  expect(Array.from(nearest(4, 2, plain))).toEqual([0, 2]);
  expect(Array.from(nearest(3, 5, { alignCorners: true, halfPixelCenters: false }))).toEqual([0, 1, 1, 2, 2]);
});

test.each([
  ["a size of zero", index([0, 3]), plain, "TH2007"],
  ["a size too many", index([2, 3, 4]), plain, "TH2005"],
  ["both ways to sample", index([2, 3]), { alignCorners: true, halfPixelCenters: true }, "TH2007"],
])("%s is reported", (_, size, attrs, code) => {
  const { types, problems } = inferOp(resizeBilinear, attrs, [image, size], [{ dtype: "float32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual([code]);
});
