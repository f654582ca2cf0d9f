import { expect, test } from "vitest";
import { argMax } from "../arg_max/arg_max.js";
import { argMin } from "../arg_min/arg_min.js";
import { index, inferOp, runOp, vector } from "./testing.js";

const matrix = { dtype: "float32", shape: [2, 3], data: [1, 9, 9, 7, -2, 3] } as const;

test("the first of equal extremes, along any axis", () => {
  const attrs = { outputType: "int32" } as const;
  expect(runOp(argMax, attrs, [matrix, index([-1])], [{ dtype: "int32" }])).toEqual([{ shape: [2], data: [1, 0] }]);
  expect(runOp(argMax, attrs, [matrix, index([0])], [{ dtype: "int32" }])).toEqual([{ shape: [3], data: [1, 0, 0] }]);
  expect(runOp(argMin, attrs, [matrix, index([1])], [{ dtype: "int32" }])).toEqual([{ shape: [2], data: [0, 1] }]);
});

test("64-bit indices", () => {
  const [out] = runOp(argMin, { outputType: "int64" }, [vector("int32", [4, -1, 7]), index([0])], [{ dtype: "int64" }]);
  expect(out).toEqual({ shape: [], data: [1n] });
});

test("an axis out of range is reported", () => {
  const { types, problems } = inferOp(argMax, { outputType: "int32" }, [matrix, index([2])], [{ dtype: "int32" }]);
  expect(types).toBeNull();
  expect(problems.map((p) => p.code)).toEqual(["TH2013"]);
});
