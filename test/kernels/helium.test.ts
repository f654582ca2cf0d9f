import { describe, expect, it } from "vitest";
import { add } from "../../src/ops/add/add.js";
import { averagePool2d } from "../../src/ops/average_pool2d/average_pool2d.js";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { convSamples, narrowOf, wideOf } from "./conv-samples.js";
import { deepSamples, denseSamples } from "./dense-samples.js";
import { depthwiseSamples } from "./depthwise-samples.js";
import { poolSamples } from "./pool-samples.js";
import { sumSamples } from "./sum-samples.js";

const convolutions = () => kernelCases(conv2d as never, convSamples() as never, "helium");
const dense = () => kernelCases(fullyConnected as never, [...denseSamples(), ...deepSamples()] as never, "helium");
const sums = () => kernelCases(add as never, sumSamples() as never, "helium");
const pools = () => kernelCases(averagePool2d as never, poolSamples() as never, "helium");
const depthwise = () => kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "helium");

const both = ["int32", "int64"] as const;
const wideConvolutions = () =>
  both.flatMap((bias) => kernelCases(conv2d as never, convSamples().map((s) => wideOf(s, bias)) as never, "helium"));
const wideDense = () =>
  both.flatMap((bias) =>
    kernelCases(fullyConnected as never, denseSamples().map((s) => wideOf(s, bias)) as never, "helium"),
  );
/** Kernels that take less scratch. */
const lean = () => [
  ...["helium s8, two pixels", "helium s8, one pixel"].flatMap((name) =>
    kernelCases(conv2d as never, convSamples() as never, "helium", name).filter(({ kernel }) => kernel === name),
  ),
  ...kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "helium", "helium s8, lean").filter(
    ({ kernel }) => kernel === "helium s8, lean",
  ),
];
const wideDepthwise = () =>
  both.flatMap((bias) =>
    kernelCases(depthwiseConv2d as never, depthwiseSamples().map((s) => wideOf(s, bias)) as never, "helium"),
  );
const narrowConvolutions = () => kernelCases(conv2d as never, convSamples().map(narrowOf) as never, "helium");
const narrowDepthwise = () =>
  kernelCases(depthwiseConv2d as never, depthwiseSamples().map(narrowOf) as never, "helium");
const narrowDense = () => kernelCases(fullyConnected as never, denseSamples().map(narrowOf) as never, "helium");

describe("kernels for Helium are chosen", () => {
  it("for convolutions", () => {
    // Those of the DSP instructions shift sums to the left where scales ask for that.
    expect(chosen(convolutions())).toEqual(new Set(["helium s8", "helium s8, by pixels", "dsp s8"]));
  });

  it("for int16 activations and int4 weights", () => {
    const wide = ["helium s16", "helium s16_b32"];
    expect(chosen(wideConvolutions())).toEqual(new Set([...wide, ...wide.map((name) => `${name}, by pixels`)]));
    expect(chosen(wideDense())).toEqual(new Set(wide));
    // Where scales ask for a shift to the left, others take the node.
    const isOther = ({ kernel }: { readonly kernel: string }) => !kernel.startsWith("helium s8_w4");
    expect(narrowConvolutions().filter(isOther).length).toBeLessThan(90);
    expect(narrowDense().filter(isOther).length).toBeLessThan(60);
    expect(chosen(narrowDepthwise())).toContain("helium s8_w4, one channel");
    expect(chosen(wideDepthwise())).toContain("helium s16");
    expect(chosen(wideDepthwise())).toContain("helium s16_b32");
  });

  it("for the other operators", () => {
    expect(chosen(dense())).toEqual(new Set(["helium s8", "dsp s8"]));
    const names = new Set(depthwise().map(({ kernel }) => kernel.split(" ")[0]));
    expect(names.has("helium")).toBe(true);
    expect(chosen(depthwise())).toContain("helium s8, one channel");
    expect(chosen(pools())).toEqual(new Set(["helium s8"]));
    // Where scales are so far apart that a shift is too large.
    expect(sums().filter(({ kernel }) => kernel !== "helium s8").length).toBeLessThan(12);
  });
});

describe.each(["host", "cortex-m55"])("kernels for Helium give the interpreter's bits on %s", (target) => {
  it.each([
    ["convolutions", convolutions],
    ["fully connected layers", dense],
    ["convolutions of int16", wideConvolutions],
    ["fully connected layers of int16", wideDense],
    ["convolutions with int4 weights", narrowConvolutions],
    ["fully connected layers with int4 weights", narrowDense],
    ["depthwise convolutions", depthwise],
    ["depthwise convolutions of int16", wideDepthwise],
    ["depthwise convolutions with int4 weights", narrowDepthwise],
    ["convolutions with little scratch", lean],
    ["additions", sums],
    ["average pools", pools],
  ] as const)("%s", { timeout: 240_000 }, async (_, cases) => {
    expect(await kernelProblems(target, cases())).toEqual([]);
  });
});
