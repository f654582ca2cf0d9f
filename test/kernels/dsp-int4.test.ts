import { describe, expect, it } from "vitest";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import type { Sample } from "../../src/ops/spec.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { convSamples } from "./conv-samples.js";
import { deepSamples, denseSamples } from "./dense-samples.js";
import { depthwiseSamples } from "./depthwise-samples.js";

/** The samples with weights of 4 bits, those of every other one over the type's whole range. */
const int4Of = <A>(samples: readonly Sample<A>[]): readonly Sample<A>[] =>
  samples.map((sample, i) => ({
    ...sample,
    inputs: sample.inputs.map((t, k) =>
      t === null || k !== 1 ? t : { ...t, dtype: "int4" as const, range: i % 2 === 0 ? [-8, 7] : [-7, 7] },
    ),
    // Sums are smaller, so that outputs need a finer scale to show every rounding.
    outputs: sample.outputs.map((o) => ({
      ...o,
      quant: o.quant && i % 3 > 0 ? { ...o.quant, scales: o.quant.scales.map((s) => s / 16) } : o.quant,
    })) as Sample<A>["outputs"],
  }));

const convolutions = () => kernelCases(conv2d as never, int4Of(convSamples()) as never, "dsp");
const fewer = () =>
  ["two pixels", "by pixels, two pixels", "one pixel", "by pixels, one pixel"].flatMap((end) => {
    const name = `dsp s8_w4, ${end}`;
    return kernelCases(conv2d as never, int4Of(convSamples()) as never, "dsp", name).filter((c) => c.kernel === name);
  });
const dense = () => kernelCases(fullyConnected as never, int4Of([...denseSamples(), ...deepSamples()]) as never, "dsp");
const depthwise = () => kernelCases(depthwiseConv2d as never, int4Of(depthwiseSamples()) as never, "dsp");
const lean = () =>
  ["dsp s8_w4 3x3, lean", "dsp s8_w4 columns, lean"].flatMap((name) =>
    kernelCases(depthwiseConv2d as never, int4Of(depthwiseSamples()) as never, "dsp", name).filter(
      ({ kernel }) => kernel === name,
    ),
  );

describe("kernels for int4 weights and the DSP instructions", () => {
  it("are chosen", () => {
    expect(chosen(convolutions())).toEqual(new Set(["dsp s8_w4", "dsp s8_w4, by pixels"]));
    expect(chosen(dense())).toEqual(new Set(["dsp s8_w4"]));
    expect(chosen(depthwise())).toEqual(new Set(["dsp s8_w4 3x3", "dsp s8_w4 columns", "portable s8_w4"]));
    const finishes = convolutions().map(({ call }) => call?.params?.fields.finish);
    for (const finish of [0, 1, 2]) expect(finishes.filter((f) => f === finish).length).toBeGreaterThan(15);
  });

  it.each(["host", "cortex-m4"])("give the interpreter's bits on %s", { timeout: 240_000 }, async (target) => {
    for (const cases of [convolutions, fewer, dense, depthwise, lean])
      expect(await kernelProblems(target, cases())).toEqual([]);
  });
});
