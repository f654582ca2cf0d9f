import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { add } from "../../src/ops/add/add.js";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import type { Conv2dAttrs } from "../../src/ops/conv2d/geometry.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import type { Graph } from "../../src/ops/index.js";
import { randomData } from "../../src/ops/sample.js";
import type { Sample, SampleTensor } from "../../src/ops/spec.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";
import { chosen, kernelCase, kernelCases, kernelProblems } from "./cases.js";
import { convAttrs, convSample, convSamples, pointwise, wideOf } from "./conv-samples.js";
import { deepSamples, denseSamples } from "./dense-samples.js";
import { type DepthwiseShape, depthwiseAttrs, depthwiseSamples, depthwiseShapes } from "./depthwise-samples.js";
import { sumSamples } from "./sum-samples.js";

const convolutions = () => kernelCases(conv2d as never, convSamples() as never, "dsp");
/** The same for kernels that compute fewer pixels at a time. */
const fewer = () =>
  ["dsp s8, two pixels", "dsp s8, by pixels, two pixels", "dsp s8, one pixel", "dsp s8, by pixels, one pixel"].flatMap(
    (name) => kernelCases(conv2d as never, convSamples() as never, "dsp", name).filter(({ kernel }) => kernel === name),
  );
const dense = () => kernelCases(fullyConnected as never, [...denseSamples(), ...deepSamples()] as never, "dsp");
const both = ["int32", "int64"] as const;
const wideConvolutions = () =>
  both.flatMap((bias) => kernelCases(conv2d as never, convSamples().map((s) => wideOf(s, bias)) as never, "dsp"));
const wideDense = () =>
  both.flatMap((bias) =>
    kernelCases(fullyConnected as never, denseSamples().map((s) => wideOf(s, bias)) as never, "dsp"),
  );
const depthwise = () => kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "dsp");
const lean = () =>
  ["dsp s8 3x3, lean", "dsp s8 columns, lean"].flatMap((name) =>
    kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "dsp", name).filter(
      ({ kernel }) => kernel === name,
    ),
  );
const sums = () => kernelCases(add as never, sumSamples() as never, "dsp");

/** True for what has a kernel of its own; the rest is left to the portable one. */
function hasKernel({ channels, multiplier, kernel, size, attrs }: DepthwiseShape): boolean {
  if (multiplier === 1 && channels >= 4) return true;
  const { stride, dilation } = { ...depthwiseAttrs, ...attrs };
  return kernel[1] > 1 && stride[1] <= 2 && dilation[1] === 1 && size[1] > kernel[1] + 3;
}

describe("kernels for the DSP instructions are chosen", () => {
  it("for convolutions and fully connected layers", () => {
    expect(chosen(convolutions())).toEqual(new Set(["dsp s8", "dsp s8, by pixels"]));
    expect(chosen(dense())).toEqual(new Set(["dsp s8"]));
    expect(chosen(wideConvolutions())).toEqual(new Set(["dsp s16", "dsp s16_b32"]));
    expect(chosen(wideDense())).toEqual(new Set(["dsp s16", "dsp s16_b32"]));
  });

  it("with every finish", () => {
    const finishes = convolutions().map(({ call }) => call?.params?.fields.finish);
    for (const finish of [0, 1, 2]) expect(finishes.filter((f) => f === finish).length).toBeGreaterThan(15);
    const symbols = depthwise().map(({ call }) => call?.symbol ?? "");
    for (const end of ["3x3_1", "3x3_2", "3x3_1_linear", "3x3_2_linear"]) {
      expect(symbols.filter((symbol) => symbol.endsWith(end)).length, end).toBeGreaterThan(10);
    }
  });

  it("for the depthwise convolutions that they are for", () => {
    const list = depthwiseShapes();
    const cases = depthwise();
    const wrong = cases.filter(({ kernel }, i) => hasKernel(list[i] as DepthwiseShape) && !kernel.startsWith("dsp "));
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(chosen(cases)).toEqual(new Set(["dsp s8 3x3", "dsp s8 columns", "dsp s8", "dsp s8 any", "portable s8"]));
  });

  it("for additions of tensors of one shape", () => {
    const portable = sums().filter(({ kernel }) => kernel !== "dsp s8");
    // Where scales are so far apart that a shift is too large.
    expect(portable.length).toBeLessThan(12);
  });
});

describe.each(["host", "cortex-m4"])("kernels for the DSP instructions give the interpreter's bits on %s", (target) => {
  it.each([
    ["convolutions", convolutions],
    ["convolutions of fewer pixels", fewer],
    ["fully connected layers", dense],
    ["convolutions of int16", wideConvolutions],
    ["fully connected layers of int16", wideDense],
    ["depthwise convolutions", depthwise],
    ["depthwise convolutions with little scratch", lean],
    ["additions", sums],
  ] as const)("%s", { timeout: 240_000 }, async (_, cases) => {
    expect(await kernelProblems(target, cases())).toEqual([]);
  });
});

describe("weights that do not pack", () => {
  const [input, weights, bias] = convSample({ ...pointwise, channelwise: false }).inputs as readonly SampleTensor[];
  const kernelOf = (
    change: Partial<SampleTensor>,
    biases: Partial<SampleTensor> = {},
    groups = 1,
    scale = 1,
  ): string => {
    const inputs = [
      { ...(input as SampleTensor), shape: [1, 3, 5, 8 * groups] },
      { ...(weights as SampleTensor), ...change },
      { ...(bias as SampleTensor), ...biases },
    ];
    const sample = { ...convSample({ ...pointwise, scale }), inputs } as Sample<Conv2dAttrs>;
    return kernelCase(conv2d as never, sample as never, 1, "dsp").kernel;
  };
  const filled = (even: number, odd: number) => Array.from({ length: 64 }, (_, i) => ((i >> 3) % 2 === 0 ? even : odd));

  it("are left to the portable kernel", () => {
    expect(kernelOf({ constant: filled(127, -127) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(-1, -127) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(0, -128) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(-1, -128) }), "a half below -2^15").toBe("portable s8");
    const large = { constant: new Array<number>(8).fill(2 ** 30) };
    expect(kernelOf({}, large), "outputs that never change").toBe("dsp s8, by pixels");
    const between = (0.001 * 2 ** 30) / 100.5;
    expect(kernelOf({}, large, 1, between), "sums beyond 30 bits").toBe("portable s8");
    expect(kernelOf({}, {}, 2), "groups").toBe("portable s8");
  });
});

describe("planned by rows", () => {
  /** A 3x3 convolution, a 1x1 one, a 3x3 one with stride 2 whose channels are odd, a 1x1 one with stride 2. */
  function chain(width: number): Graph {
    const d = newDraft();
    const random = seededRandom(width);
    let x = addTensor(d, "input", [1, 9, width, 3], { quant: perTensor(0.1, 3) });
    const input = x;
    const layers = [
      [8, 3, 1],
      [13, 1, 1],
      [5, 3, 2],
      [6, 1, 2],
    ] as const;
    for (const [channels, size, stride] of layers) {
      const [, h = 1, w = 1, c = 1] = d.tensors.get(x)?.shape ?? [];
      const shape = [channels, size, size, c];
      const data = randomData({ shape, dtype: "int8", range: [-127, 127] }, random);
      const filter = addTensor(d, `w${d.tensors.size}`, shape, { quant: perTensor(0.01), data });
      const after = [1, Math.ceil(h / stride), Math.ceil(w / stride), channels];
      const out = addTensor(d, `t${d.tensors.size}`, after, { quant: perTensor(0.2, -5) });
      addNode(d, "CONV_2D", [x, filter, null], [out], { ...convAttrs, stride: [stride, stride] });
      x = out;
    }
    return toGraph(d, [input], [x]);
  }

  it.each(["host", "cortex-m4"])("convolutions give the interpreter's bits on %s", async (target) => {
    const planned = [1, 5, 6, 16].map((width) => planForms(chain(width), "dsp"));
    for (const { nodes } of planned) for (const n of nodes) expect(n.kernel.isa).toBe("dsp");
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});
