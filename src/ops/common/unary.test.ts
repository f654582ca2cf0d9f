import { describe, expect, it } from "vitest";
import { perTensor, type Quantization } from "../../ir/graph.js";
import { abs } from "../abs/abs.js";
import { elu } from "../elu/elu.js";
import { exp } from "../exp/exp.js";
import { hardSwish } from "../hard_swish/hard_swish.js";
import { leakyRelu } from "../leaky_relu/leaky_relu.js";
import { log } from "../log/log.js";
import { logistic } from "../logistic/logistic.js";
import { neg } from "../neg/neg.js";
import { relu } from "../relu/relu.js";
import { reluN1To1 } from "../relu_n1_to_1/relu_n1_to_1.js";
import { relu6 } from "../relu6/relu6.js";
import { rsqrt } from "../rsqrt/rsqrt.js";
import type { OpSpec } from "../spec.js";
import { sqrt } from "../sqrt/sqrt.js";
import { tanh } from "../tanh/tanh.js";
import { sigmoidTable } from "./sigmoid.js";
import { inferOp, runOp, vector } from "./testing.js";

const bytes = Array.from({ length: 256 }, (_, i) => i - 128);
const words = Array.from({ length: 2048 }, (_, i) => -32768 + i * 32 + (i % 32));

interface Case {
  readonly spec: OpSpec<string, object>;
  readonly attrs?: object;
  readonly real: (x: number) => number;
  readonly dtype: "int8" | "int16";
  readonly quant: readonly [Quantization, Quantization];
  /** Largest difference in quantized units from the real function, rounded. */
  readonly tolerance: number;
}

const pair = (scaleIn: number, zeroIn: number, scaleOut: number, zeroOut: number) =>
  [perTensor(scaleIn, zeroIn), perTensor(scaleOut, zeroOut)] as const;
const of = <A extends object>(spec: OpSpec<string, A>): OpSpec<string, object> =>
  spec as unknown as OpSpec<string, object>;

const clampTo = (low: number, high: number) => (x: number) => Math.min(Math.max(x, low), high);
const leaky = (x: number): number => (x < 0 ? 0.25 * x : x);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const swish = (x: number): number => (x * clampTo(0, 6)(x + 3)) / 6;

const cases: readonly Case[] = [
  { spec: of(relu), real: clampTo(0, Infinity), dtype: "int8", quant: pair(0.1, 5, 0.05, -128), tolerance: 1 },
  { spec: of(relu), real: clampTo(0, Infinity), dtype: "int16", quant: pair(0.001, 0, 0.002, 0), tolerance: 1 },
  { spec: of(relu6), real: clampTo(0, 6), dtype: "int8", quant: pair(0.1, 5, 0.05, -100), tolerance: 1 },
  { spec: of(reluN1To1), real: clampTo(-1, 1), dtype: "int8", quant: pair(0.02, 5, 0.02, 5), tolerance: 0 },
  {
    spec: of(leakyRelu),
    attrs: { alpha: 0.25 },
    real: leaky,
    dtype: "int8",
    quant: pair(0.1, -3, 0.08, 10),
    tolerance: 1,
  },
  {
    spec: of(leakyRelu),
    attrs: { alpha: 0.25 },
    real: leaky,
    dtype: "int16",
    quant: pair(0.001, 0, 0.0008, 0),
    tolerance: 1,
  },
  { spec: of(abs), real: Math.abs, dtype: "int8", quant: pair(0.1, -3, 0.08, -128), tolerance: 1 },
  { spec: of(abs), real: Math.abs, dtype: "int8", quant: pair(0.1, -3, 0.1, -128), tolerance: 0 },
  { spec: of(abs), real: Math.abs, dtype: "int16", quant: pair(0.001, 0, 0.002, 0), tolerance: 1 },
  { spec: of(neg), real: (x) => -x, dtype: "int8", quant: pair(0.1, -3, 0.2, 4), tolerance: 1 },
  {
    spec: of(elu),
    real: (x) => (x < 0 ? Math.expm1(x) : x),
    dtype: "int8",
    quant: pair(0.05, 0, 0.04, -90),
    tolerance: 1,
  },
  { spec: of(exp), real: Math.exp, dtype: "int8", quant: pair(0.03, 0, 0.2, -128), tolerance: 1 },
  {
    spec: of(log),
    real: (x) => (x > 0 ? Math.log(x) : -1e9),
    dtype: "int8",
    quant: pair(0.1, -128, 0.04, 10),
    tolerance: 1,
  },
  {
    spec: of(sqrt),
    real: (x) => (x < 0 ? -1e9 : Math.sqrt(x)),
    dtype: "int8",
    quant: pair(0.1, -120, 0.03, -128),
    tolerance: 1,
  },
  {
    spec: of(rsqrt),
    real: (x) => (x <= 0 ? 1e9 : 1 / Math.sqrt(x)),
    dtype: "int8",
    quant: pair(0.1, -100, 0.02, -128),
    tolerance: 1,
  },
  { spec: of(logistic), real: sigmoid, dtype: "int8", quant: pair(0.05, 7, 1 / 256, -128), tolerance: 1 },
  { spec: of(logistic), real: sigmoid, dtype: "int16", quant: pair(0.0003, 0, 1 / 32768, 0), tolerance: 4 },
  { spec: of(logistic), real: sigmoid, dtype: "int16", quant: pair(1 / 4096, 0, 1 / 32768, 0), tolerance: 3 },
  { spec: of(tanh), real: Math.tanh, dtype: "int8", quant: pair(0.03, -7, 1 / 128, 0), tolerance: 1 },
  { spec: of(tanh), real: Math.tanh, dtype: "int16", quant: pair(0.0002, 0, 1 / 32768, 0), tolerance: 8 },
  { spec: of(tanh), real: Math.tanh, dtype: "int16", quant: pair(1 / 4096, 0, 1 / 32768, 0), tolerance: 6 },
  { spec: of(hardSwish), real: swish, dtype: "int8", quant: pair(0.05, -10, 0.04, -110), tolerance: 1 },
  { spec: of(hardSwish), real: swish, dtype: "int8", quant: pair(0.3, 0, 0.2, -100), tolerance: 1 },
];

describe("quantized maps stay by the real function", () => {
  it.each(
    cases.map(
      (c) => [`${c.spec.name} ${c.dtype}, scale ${c.quant[0].scales[0]} to ${c.quant[1].scales[0]}`, c] as const,
    ),
  )("%s", (_, c) => {
    const values = c.dtype === "int8" ? bytes : words;
    const [type] = runOp(
      c.spec,
      c.attrs ?? {},
      [vector(c.dtype, values, c.quant[0])],
      [{ dtype: c.dtype, quant: c.quant[1] }],
    );
    const [low, high] = c.dtype === "int8" ? [-128, 127] : [-32768, 32767];
    const [scaleIn = 0, scaleOut = 0] = c.quant.map((q) => q.scales[0]);
    const [zeroIn = 0, zeroOut = 0] = c.quant.map((q) => q.zeroPoints[0]);
    const worst = values.map((x, i) => {
      const ideal = Math.round(c.real((x - zeroIn) * scaleIn) / scaleOut) + zeroOut;
      return Math.abs(Math.min(Math.max(ideal, low), high) - Number(type?.data[i]));
    });
    expect(Math.max(...worst)).toBeLessThanOrEqual(c.tolerance);
  });
});

describe("exact points", () => {
  it("logistic of zero is one half, and the ends saturate", () => {
    const [out] = runOp(
      logistic,
      {},
      [vector("int8", [0, 127, -128], perTensor(0.2))],
      [{ dtype: "int8", quant: perTensor(1 / 256, -128) }],
    );
    expect(out?.data).toEqual([0, 127, -128]);
  });

  it("the 16-bit table is exact at its entries: sigmoid(1/8) = 0.531209 is entry 3, 34813", () => {
    // Scale 2^-12: x = 512 is 1/8, the table's third step. The result is half the entry, rounded.
    const [out] = runOp(
      logistic,
      {},
      [vector("int16", [512, 0, -512], perTensor(1 / 4096))],
      [{ dtype: "int16", quant: perTensor(1 / 32768) }],
    );
    expect(out?.data).toEqual([17407, 16384, 15361]);
  });

  it("the table has the published entries, by their sum and their sum weighted by index", () => {
    const entries = Array.from(sigmoidTable, (bits) => bits & 0xffff);
    expect(entries.reduce((sum, v) => sum + v, 0)).toBe(15670629);
    expect(entries.reduce((sum, v, i) => sum + i * v, 0)).toBe(2108062945);
  });

  it("leaky relu takes a negative slope", () => {
    const q = perTensor(0.1);
    const [out] = runOp(leakyRelu, { alpha: -2 }, [vector("int8", [-10, 10, -100], q)], [{ dtype: "int8", quant: q }]);
    expect(out?.data).toEqual([20, 10, 127]);
  });

  it("floats", () => {
    const [out] = runOp(hardSwish, {}, [vector("float32", [-4, -3, 0, 3, 4])], [{ dtype: "float32" }]);
    expect(out?.data).toEqual([-0, -0, 0, 3, 4]);
  });
});

describe("inference", () => {
  it("refuses a logistic whose output has another scale", () => {
    const { types, problems } = inferOp(
      logistic,
      {},
      [vector("int8", [0], perTensor(0.1))],
      [{ dtype: "int8", quant: perTensor(0.1) }],
    );
    expect(types).toBeNull();
    expect(problems.map((p) => p.code)).toEqual(["TH2006"]);
  });

  it("refuses a missing quantization and a NaN slope", () => {
    expect(inferOp(relu, {}, [vector("int8", [0])], [{ dtype: "int8", quant: perTensor(1) }]).problems[0]?.code).toBe(
      "TH2006",
    );
    expect(
      inferOp(leakyRelu, { alpha: Number.NaN }, [vector("float32", [0])], [{ dtype: "float32" }]).problems[0]?.code,
    ).toBe("TH2007");
  });
});
