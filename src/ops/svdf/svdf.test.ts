import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { runSteps } from "../common/stateful-testing.js";
import type { Sample } from "../spec.js";
import { type SvdfAttrs, svdf } from "./svdf.js";

/** One unit of two filters over one input, a memory of three: feature weights 1 and 2, time weights below. */
const time = [1, 10, 100, 0, 0, 1000];
const float: Sample<SvdfAttrs> = {
  name: "test",
  attrs: { rank: 2, activation: "NONE" },
  inputs: [
    { shape: [1, 1], dtype: "float32" },
    { shape: [2, 1], dtype: "float32", constant: [1, 2] },
    { shape: [2, 3], dtype: "float32", constant: time },
    { shape: [1], dtype: "float32", constant: [0.5] },
    { shape: [1, 6], dtype: "float32", variable: true },
  ],
  outputs: [{ dtype: "float32" }],
};

test("the newest feature meets the last time weight", () => {
  // First filter: history 0 0 1, then 0 1 2, then 1 2 3; second: only the newest, doubled.
  const out = runSteps(svdf, float, [[1], [2], [3]]);
  expect(out).toEqual([[100 + 2000 + 0.5], [210 + 4000 + 0.5], [1 + 20 + 300 + 6000 + 0.5]]);
});

test("integers: both rescalings round, and the state saturates", () => {
  const q = perTensor(1);
  const integer: Sample<SvdfAttrs> = {
    ...float,
    inputs: [
      { shape: [1, 1], dtype: "int8", quant: perTensor(1, -10) },
      { shape: [2, 1], dtype: "int8", quant: q, constant: [1, 2] },
      { shape: [2, 3], dtype: "int16", quant: perTensor(0.25), constant: [1, 2, 4, 0, 0, 1] },
      { shape: [1], dtype: "int32", constant: [1] },
      { shape: [1, 6], dtype: "int16", quant: perTensor(2), variable: true },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(1, 3) }],
  };
  // Input 3 is 13: features round(13 / 2) = 7 and 13; sum 1 + 4 * 7 + 13 = 42, times 2 * 0.25 = 21, and the zero point.
  expect(runSteps(svdf, integer, [[3]])).toEqual([[24]]);
});
