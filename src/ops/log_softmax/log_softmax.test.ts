import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { runOp } from "../common/testing.js";
import { logSoftmax } from "./log_softmax.js";

test("float results are those of TFLite's test", () => {
  const input = { dtype: "float32", shape: [2, 4], data: [0, -6, 2, 4, 3, -2, 10, 1] } as const;
  const want = [-4.14297, -10.14297, -2.14297, -0.142971, -7.00104, -12.00104, -0.00104087, -9.00104];
  const [out] = runOp(logSoftmax, {}, [input], [{ dtype: "float32" }]);
  out?.data.forEach((v, i) => {
    expect(Number(v)).toBeCloseTo(want[i] ?? 0, 4);
  });
});

test("int8 results are within one unit of the real ones, and saturate", () => {
  const data = [0, -30, 20, 40, 30, -20, 100, -128];
  const input = { dtype: "int8", shape: [8], data, quant: perTensor(0.1) } as const;
  const [out] = runOp(logSoftmax, {}, [input], [{ dtype: "int8", quant: perTensor(1 / 16, 127) }]);
  const logSum = Math.log(data.reduce((s, x) => s + Math.exp(x * Math.fround(0.1)), 0));
  out?.data.forEach((v, i) => {
    const want = Math.max(((data[i] ?? 0) * Math.fround(0.1) - logSum) * 16 + 127, -128);
    expect(Math.abs(Number(v) - want)).toBeLessThanOrEqual(1);
  });
  expect(out?.data[7]).toBe(-128);
});
