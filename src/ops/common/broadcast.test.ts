import { describe, expect, it } from "vitest";
import { broadcastPlan, broadcastShape, forEachPair } from "./broadcast.js";

describe("broadcastShape", () => {
  it.each([
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3], [2, 3]],
    [[], [4, 1], [4, 1]],
    [
      [3, 1, 4],
      [2, 1],
      [3, 2, 4],
    ],
    [[2, 0], [1], [2, 0]],
  ])("%j and %j give %j", (a, b, shape) => {
    expect(broadcastShape(a, b)).toEqual(shape);
  });

  it.each([
    [[2, 3], [2]],
    [[4], [3]],
  ])("%j and %j do not broadcast", (a, b) => {
    expect(broadcastShape(a, b)).toBeNull();
  });
});

describe("broadcastPlan", () => {
  it.each([
    [
      "equal shapes are one run",
      [2, 3, 4],
      [2, 3, 4],
      [2, 3, 4],
      [1, 1, 1, 1, 1, 24],
      [0, 0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0, 1],
    ],
    ["a scalar is one run", [2, 3], [], [2, 3], [1, 1, 1, 1, 1, 6], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]],
    ["channels are two loops", [2, 3, 4], [4], [2, 3, 4], [1, 1, 1, 1, 6, 4], [0, 0, 0, 0, 4, 1], [0, 0, 0, 0, 0, 1]],
    ["both repeat", [3, 1, 4], [2, 1], [3, 2, 4], [1, 1, 1, 3, 2, 4], [0, 0, 0, 4, 0, 1], [0, 0, 0, 0, 1, 0]],
    ["nothing", [2, 0], [2, 0], [2, 0], [1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ])("%s", (_, a, b, output, sizes, steps1, steps2) => {
    expect(broadcastPlan(a, b, output)).toEqual({ sizes, steps1, steps2 });
  });
});

describe("forEachPair", () => {
  it("pairs elements in the output's order", () => {
    const pairs: number[][] = [];
    forEachPair([2, 1], [3], [2, 3], (_, at1, at2) => pairs.push([at1, at2]));
    expect(pairs).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
  });
});
