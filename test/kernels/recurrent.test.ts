import { describe, expect, it } from "vitest";
import { gru } from "../../src/ops/gru/gru.js";
import type { Isa } from "../../src/ops/isa.js";
import { lstm } from "../../src/ops/lstm/lstm.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { recurrentSamples } from "./recurrent-samples.js";

const cases = (isa: Isa, dtype: "int8" | "int16") => [
  ...kernelCases(gru as never, recurrentSamples(3, dtype) as never, isa),
  ...kernelCases(lstm as never, recurrentSamples(4, dtype) as never, isa),
];

describe("recurrent layers of integers", () => {
  it("have kernels for the instructions there are", () => {
    const portable = cases("dsp", "int8").filter(({ kernel }) => kernel !== "dsp s8");
    expect(portable.length).toBeLessThan(12);
    expect(chosen(cases("armv6m", "int8"))).toEqual(new Set(["portable s8"]));
    expect(chosen(cases("dsp", "int16"))).toEqual(new Set(["portable s16"]));
  });

  it.each([
    ["host", "portable", "int8"],
    ["host", "portable", "int16"],
    ["host", "dsp", "int8"],
    ["cortex-m4", "dsp", "int8"],
    ["cortex-m4", "portable", "int16"],
    ["cortex-m0plus", "portable", "int8"],
  ] as const)("give the interpreter's bits on %s, %s %s", { timeout: 240_000 }, async (target, isa, dtype) => {
    expect(await kernelProblems(target, cases(isa, dtype))).toEqual([]);
  });
});
