import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { inferOp, runOp } from "../common/testing.js";
import { softmax } from "./softmax.js";

const q8 = perTensor(1 / 256, -128);
const row = (data: readonly number[], scale: number) =>
  ({ dtype: "int8", shape: [1, data.length], data, quant: perTensor(scale, 7) }) as const;

test("equal elements share equally", () => {
  expect(runOp(softmax, { beta: 1 }, [row([5, 5, 5, 5], 0.1)], [{ dtype: "int8", quant: q8 }])[0]?.data).toEqual([
    -64, -64, -64, -64,
  ]);
  const wide = { dtype: "int16", quant: perTensor(1 / 65536, -32768) } as const;
  expect(runOp(softmax, { beta: 1 }, [row([-9, -9, -9, -9], 0.1)], [wide])[0]?.data).toEqual(new Array(4).fill(-16384));
});

test("one large element takes all", () => {
  expect(runOp(softmax, { beta: 1 }, [row([127, -128, 0], 1)], [{ dtype: "int8", quant: q8 }])[0]?.data).toEqual([
    127, -128, -128,
  ]);
});

/** Softmax of real values. */
const exact = (x: readonly number[]): readonly number[] => {
  const e = x.map(Math.exp);
  return e.map((v) => v / e.reduce((a, b) => a + b));
};

test("int8 results are within one unit of the real ones", () => {
  const data = Array.from({ length: 40 }, (_, i) => ((i * 37) % 120) - 60);
  const [out] = runOp(softmax, { beta: 1 }, [row(data, 0.06)], [{ dtype: "int8", quant: q8 }]);
  const want = exact(data.map((x) => Math.fround(0.06) * x)).map((v) => v * 256 - 128);
  out?.data.forEach((v, i) => {
    expect(Math.abs(Number(v) - (want[i] ?? 0))).toBeLessThanOrEqual(1);
  });
});

test("int16 results are within 2^-11 of the real ones", () => {
  const data = Array.from({ length: 20 }, (_, i) => ((i * 7919) % 20000) - 10000);
  const input = { dtype: "int16", shape: [20], data, quant: perTensor(0.0003) } as const;
  const [out] = runOp(softmax, { beta: 1 }, [input], [{ dtype: "int16", quant: perTensor(1 / 32768) }]);
  const want = exact(data.map((x) => x * 0.0003));
  out?.data.forEach((v, i) => {
    expect(Math.abs(Number(v) / 32768 - (want[i] ?? 0))).toBeLessThan(2 ** -11);
  });
});

test.each([
  ["an output scale that is not 1/256", { beta: 1 }, perTensor(1 / 128, -128), "TH2006"],
  ["a factor that is no number", { beta: Number.NaN }, q8, "TH2007"],
  ["a factor too small for fixed point", { beta: 1e-12 }, q8, "TH2007"],
])("%s is reported", (_, attrs, quant, code) => {
  const { problems } = inferOp(softmax, attrs, [row([1, 2], 0.1)], [{ dtype: "int8", quant }]);
  expect(problems.map((p) => p.code)).toEqual([code]);
});
