import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { averagePool2d } from "../average_pool2d/average_pool2d.js";
import { maxPool2d } from "../max_pool2d/max_pool2d.js";
import { inferOp, runOp } from "./testing.js";

const attrs = { padding: "VALID", stride: [2, 2], kernel: [2, 2], activation: "NONE" } as const;
const image = { dtype: "float32", shape: [1, 2, 4, 1], data: [0, 6, 2, 4, 3, 2, 10, 7] } as const;

test("pools give the values of TFLite's tests", () => {
  expect(runOp(averagePool2d, attrs, [image], [{ dtype: "float32" }])[0]?.data).toEqual([2.75, 5.75]);
  expect(runOp(maxPool2d, attrs, [image], [{ dtype: "float32" }])[0]?.data).toEqual([6, 10]);
});

test("the average rounds halves away from zero and leaves padding out", () => {
  const quant = perTensor(0.1, 50);
  const input = { dtype: "int8", shape: [1, 1, 6, 1], data: [1, 2, -1, -2, 7, 3], quant } as const;
  const pairs = { ...attrs, stride: [1, 2], kernel: [1, 2] } as const;
  expect(runOp(averagePool2d, pairs, [input], [{ dtype: "int8", quant }])[0]?.data).toEqual([2, -2, 5]);
  // Windows of three with one column of padding on either side: (1+2)/2, (2-1-2)/3, ...
  const same = { ...attrs, padding: "SAME", stride: [1, 5], kernel: [1, 3] } as const;
  expect(runOp(averagePool2d, same, [input], [{ dtype: "int8", quant }])[0]?.data).toEqual([2, 5]);
});

test("an activation limits in the output's quantization", () => {
  const quant = perTensor(0.5, -100);
  const input = { dtype: "int8", shape: [1, 1, 3, 1], data: [-120, -95, 127], quant } as const;
  const relu6 = { padding: "VALID", stride: [1, 1], kernel: [1, 1], activation: "RELU6" } as const;
  expect(runOp(maxPool2d, relu6, [input], [{ dtype: "int8", quant }])[0]?.data).toEqual([-100, -95, -88]);
});

test.each([
  ["a window of no size", { ...attrs, kernel: [0, 2] as const }, "TH2007"],
  ["a step that is no number", { ...attrs, stride: [Number.NaN, 1] as const }, "TH2007"],
  ["padding as wide as the window", { ...attrs, padding: [0, 2, 0, 0] as const }, "TH2007"],
  ["a window larger than the image", { ...attrs, kernel: [3, 3] as const }, "TH2005"],
])("%s is reported", (_, bad, code) => {
  const { types, problems } = inferOp(averagePool2d, bad, [image], [{ dtype: "float32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual([code]);
});

/** A view of an average pool of an image; only shapes and types are looked at. */
const pooled = (
  shape: readonly number[],
  kernel: readonly [number, number],
  dtype: "int8" | "int16" | "float32" = "int8",
  padding: "SAME" | "VALID" = "VALID",
) => {
  const quant = dtype === "float32" ? {} : { quant: perTensor(0.1) };
  const input = { dtype, shape, data: [], ...quant };
  const { view, types } = inferOp(
    averagePool2d,
    { ...attrs, padding, kernel, stride: kernel },
    [input],
    [{ dtype, ...quant }],
  );
  return { ...view, outputs: view.outputs.map((t, i) => ({ ...t, shape: types?.[i]?.shape ?? [] })) };
};
const kernelOf = (op: typeof averagePool2d | typeof maxPool2d, dtype: string) =>
  op.kernels.filter((k) => k.isa === undefined)[["int8", "int16", "float32"].indexOf(dtype)];

test("a pool over all rows folds, and keeps what it has of each window", () => {
  const view = pooled([1, 7, 6, 3], [7, 3]);
  const fold = kernelOf(averagePool2d, "int8")?.fold?.(view);
  expect(fold).toMatchObject({ symbol: "th_average_pool2d_s8_fold", scratchBytes: 2 * 3 * 4 });
  expect(kernelOf(maxPool2d, "int8")?.fold?.(view)?.scratchBytes).toBe(2 * 3);
  const padded = pooled([1, 4, 4, 3], [8, 4], "int16", "SAME");
  expect(kernelOf(averagePool2d, "int16")?.fold?.(padded)?.scratchBytes).toBe(3 * 4);
});

test.each([
  ["two images", pooled([2, 7, 6, 3], [7, 3])],
  ["one row", pooled([1, 1, 6, 3], [1, 3])],
  ["two output rows", pooled([1, 8, 6, 3], [4, 3])],
  ["rows after the window", pooled([1, 7, 6, 3], [5, 3])],
])("a pool of %s does not fold", (_, view) => {
  expect(kernelOf(averagePool2d, "int8")?.fold?.(view)).toBeNull();
});

test("an average whose sum could leave 32 bits does not fold", () => {
  const fold = (height: number) =>
    kernelOf(averagePool2d, "int16")?.fold?.(pooled([1, height, 8, 1], [height, 8], "int16"));
  expect(fold(8191)).not.toBeNull();
  expect(fold(8192)).toBeNull();
});
