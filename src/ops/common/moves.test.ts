import { describe, expect, it } from "vitest";
import { tensorId } from "../../base/units.js";
import { perTensor } from "../../ir/graph.js";
import { movedQuant, moveElements, moveFields, stepsOf } from "./moves.js";

const dense = { inBase: 0, outBase: 0 };

describe("moveFields", () => {
  it("makes a plain copy one unit", () => {
    const steps = stepsOf([2, 3, 4]);
    expect(moveFields({ sizes: [2, 3, 4], inSteps: steps, outSteps: steps, ...dense }, "int16")).toMatchObject({
      unit: 48,
      size: [1, 1, 1, 1, 1, 1],
    });
  });

  it("keeps the channels of a block together, in bytes", () => {
    // Rows 1 and 2, columns 1 to 3 of a 4 x 5 image of three channels.
    expect(
      moveFields({ sizes: [2, 3, 3], inSteps: [15, 3, 1], outSteps: [9, 3, 1], inBase: 18, outBase: 0 }, "float32"),
    ).toMatchObject({
      unit: 36,
      in_base: 72,
      size: [1, 1, 1, 1, 1, 2],
      in_step: [0, 0, 0, 0, 0, 60],
      out_step: [0, 0, 0, 0, 0, 36],
    });
  });

  it("transposes element by element", () => {
    expect(moveFields({ sizes: [3, 2], inSteps: [1, 3], outSteps: [2, 1], ...dense }, "int8")).toMatchObject({
      unit: 1,
      size: [1, 1, 1, 1, 3, 2],
      in_step: [0, 0, 0, 0, 1, 3],
      out_step: [0, 0, 0, 0, 2, 1],
    });
  });

  it("merges a reversed pair of axes", () => {
    expect(
      moveFields({ sizes: [2, 3], inSteps: [-3, -1], outSteps: [3, 1], inBase: 5, outBase: 0 }, "int8"),
    ).toMatchObject({
      size: [1, 1, 1, 1, 1, 6],
      in_step: [0, 0, 0, 0, 0, -1],
    });
  });

  it("refuses more than six dimensions that do not merge", () => {
    const sizes = [2, 2, 2, 2, 2, 2, 2];
    const box = { sizes, inSteps: [1, 2, 4, 8, 16, 32, 64], outSteps: stepsOf(sizes), ...dense };
    expect(moveFields(box, "int8")).toBeNull();
  });
});

describe("moveElements", () => {
  it("follows steps and bases", () => {
    const out = new Int8Array(4);
    moveElements(Int8Array.of(1, 2, 3, 4, 5, 6), out, {
      sizes: [2, 2],
      inSteps: [3, -1],
      outSteps: [1, 2],
      inBase: 2,
      outBase: 0,
    });
    expect([...out]).toEqual([3, 6, 2, 5]);
  });
});

describe("movedQuant", () => {
  const tensor = { id: tensorId(0), name: "t", shape: [2], data: null, variable: false };
  it.each([
    ["int8", perTensor(0.5, 3), perTensor(0.5, 3)],
    ["float32", null, "free"],
    ["int8", { scales: [1, 2], zeroPoints: [0, 0], axis: 0 }, "free"],
  ] as const)("%s", (dtype, quant, expected) => {
    expect(movedQuant({ ...tensor, dtype, quant })).toEqual(expected);
  });
});
