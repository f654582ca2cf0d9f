import { describe, expect, it } from "vitest";
import { gru } from "../../src/ops/gru/gru.js";
import type { Isa } from "../../src/ops/isa.js";
import { lstm } from "../../src/ops/lstm/lstm.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { recurrentSamples } from "./recurrent-samples.js";

const cases = (isa: Isa) => [
  ...kernelCases(gru as never, recurrentSamples(3) as never, isa),
  ...kernelCases(lstm as never, recurrentSamples(4) as never, isa),
];

describe("recurrent layers of int8", () => {
  it("have kernels for the instructions there are", () => {
    expect(chosen(cases("dsp"))).toEqual(new Set(["dsp s8"]));
    expect(chosen(cases("armv6m"))).toEqual(new Set(["portable s8"]));
  });

  it.each([
    ["host", "portable"],
    ["host", "dsp"],
    ["cortex-m4", "dsp"],
    ["cortex-m0plus", "portable"],
  ] as const)("give the interpreter's bits on %s, %s", { timeout: 240_000 }, async (target, isa) => {
    expect(await kernelProblems(target, cases(isa))).toEqual([]);
  });
});
