import { describe, expect, it } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { cast } from "../cast/cast.js";
import { inferOp, runOp, vector } from "../common/testing.js";
import { dequantize } from "../dequantize/dequantize.js";
import { quantize } from "./quantize.js";

describe("QUANTIZE", () => {
  it("rounds halves away from zero, saturates, and takes NaN as the minimum", () => {
    const [out] = runOp(
      quantize,
      {},
      [vector("float32", [0.25, -0.25, 0.2, 1000, -Infinity, Number.NaN])],
      [{ dtype: "int8", quant: perTensor(0.5, 10) }],
    );
    expect(out?.data).toEqual([11, 9, 10, 127, -128, -128]);
  });

  it("changes scale, zero point and width", () => {
    // 100 at 0.5 above 20 is 40; at 0.25 below 7 that is 167, beyond int8; int16 holds it.
    const input = [vector("int8", [100, 20, -20], perTensor(0.5, 20))];
    expect(runOp(quantize, {}, input, [{ dtype: "int8", quant: perTensor(0.25, 7) }])[0]?.data).toEqual([127, 7, -73]);
    expect(runOp(quantize, {}, input, [{ dtype: "int16", quant: perTensor(0.25) }])[0]?.data).toEqual([160, 0, -80]);
    expect(runOp(quantize, {}, input, [{ dtype: "int32", quant: perTensor(0.25) }])[0]?.data).toEqual([160, 0, -80]);
  });

  it("int8 and uint8 differ by 128", () => {
    const [out] = runOp(
      quantize,
      {},
      [vector("uint8", [0, 128, 255], perTensor(0.1, 128))],
      [{ dtype: "int8", quant: perTensor(0.1) }],
    );
    expect(out?.data).toEqual([-128, 0, 127]);
  });

  it("refuses an output without quantization", () => {
    expect(inferOp(quantize, {}, [vector("float32", [1])], [{ dtype: "int8" }]).problems[0]?.code).toBe("TH2006");
  });
});

describe("DEQUANTIZE", () => {
  it("is exact for powers of two, per tensor and per channel", () => {
    expect(
      runOp(dequantize, {}, [vector("int8", [-128, 4], perTensor(0.5, 2))], [{ dtype: "float32" }])[0]?.data,
    ).toEqual([-65, 1]);
    const quant = { scales: [0.5, 2], zeroPoints: [0, 1], axis: 1 };
    expect(
      runOp(dequantize, {}, [{ dtype: "int8", shape: [2, 2], data: [1, 2, 3, 4], quant }], [{ dtype: "float32" }])[0]
        ?.data,
    ).toEqual([0.5, 2, 1.5, 6]);
  });

  it("reads half floats", () => {
    expect(
      runOp(dequantize, {}, [vector("float16", [0x3c00, 0xc400, 0x0001])], [{ dtype: "float32" }])[0]?.data,
    ).toEqual([1, -4, 2 ** -24]);
  });
});

describe("CAST", () => {
  it.each([
    ["float32", "int8", [1.9, -1.9, 300, Number.NaN], [1, -1, 127, 0]],
    ["float32", "uint8", [1.9, -1.9, 300, Number.NaN], [1, 0, 255, 0]],
    ["float32", "bool", [0, 0.1, Number.NaN], [0, 1, 1]],
    ["int32", "int8", [300, -129], [44, 127]],
    ["int8", "uint8", [-1, 5], [255, 5]],
    ["bool", "float32", [0, 1], [0, 1]],
  ] as const)("%s to %s", (from, to, input, expected) => {
    expect(runOp(cast, {}, [vector(from, input)], [{ dtype: to }])[0]?.data).toEqual(expected);
  });

  it("saturates floats to 64 bits", () => {
    expect(runOp(cast, {}, [vector("float32", [1e19, -1e19, -2])], [{ dtype: "int64" }])[0]?.data).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      -2n,
    ]);
  });
});
