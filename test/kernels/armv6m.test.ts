import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { add } from "../../src/ops/add/add.js";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import type { Graph } from "../../src/ops/index.js";
import { randomData } from "../../src/ops/sample.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { convAttrs, convSamples } from "./conv-samples.js";
import { deepSamples, denseSamples } from "./dense-samples.js";
import { depthwiseAttrs, depthwiseSamples } from "./depthwise-samples.js";
import { sumSamples } from "./sum-samples.js";

const convolutions = () => kernelCases(conv2d as never, convSamples() as never, "armv6m");
const blocks = () =>
  ["armv6m s8, three pixels", "armv6m s8, by pixels, three pixels", "armv6m s8, one pixel"].flatMap((name) =>
    kernelCases(conv2d as never, convSamples() as never, "armv6m", name),
  );
const dense = () => kernelCases(fullyConnected as never, [...denseSamples(), ...deepSamples()] as never, "armv6m");
const depthwise = () => kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "armv6m");
const depthwiseBlocks = () =>
  ["armv6m s8, short blocks", "armv6m s8, four outputs"].flatMap((name) =>
    kernelCases(depthwiseConv2d as never, depthwiseSamples() as never, "armv6m", name),
  );
const sums = () => kernelCases(add as never, sumSamples() as never, "armv6m");

describe("kernels for Armv6-M are chosen", () => {
  it("for convolutions", () => {
    const cases = convolutions();
    const portable = cases.filter(({ kernel }) => kernel === "portable s8");
    expect(chosen(cases)).toEqual(new Set(["armv6m s8", "armv6m s8, by pixels", "portable s8"]));
    // Where sums shift to the left.
    expect(portable.length).toBeLessThan(cases.length / 3);
  });

  it("for depthwise convolutions", () => {
    const cases = depthwise();
    const portable = cases.filter(({ kernel }) => kernel !== "armv6m s8");
    expect(portable.length).toBeLessThan(cases.length / 8);
  });

  it("for fully connected layers and additions", () => {
    expect(dense().filter(({ kernel }) => kernel !== "armv6m s8").length).toBeLessThan(40);
    expect(sums().filter(({ kernel }) => kernel !== "armv6m s8").length).toBeLessThan(12);
  });
});

describe.each(["host", "cortex-m0plus"])("kernels for Armv6-M give the interpreter's bits on %s", (target) => {
  it.each([
    ["convolutions", convolutions],
    ["convolutions of fewer pixels at a time", blocks],
    ["fully connected layers", dense],
    ["depthwise convolutions", depthwise],
    ["depthwise convolutions of fewer outputs at a time", depthwiseBlocks],
    ["additions", sums],
  ] as const)("%s", { timeout: 240_000 }, async (_, cases) => {
    expect(await kernelProblems(target, cases())).toEqual([]);
  });
});

describe("planned by rows", () => {
  /** A 3x3 convolution, a depthwise one, a 1x1 one, a depthwise one with stride 2, a 3x3 one with stride 2. */
  function chain(width: number): Graph {
    const d = newDraft();
    const random = seededRandom(width);
    let x = addTensor(d, "input", [1, 9, width, 3], { quant: perTensor(0.1, 3) });
    const input = x;
    const layers = [
      [8, 3, 1],
      [0, 3, 1],
      [13, 1, 1],
      [0, 3, 2],
      [5, 3, 2],
    ] as const;
    for (const [channels, size, stride] of layers) {
      const [, h = 1, w = 1, c = 1] = d.tensors.get(x)?.shape ?? [];
      const shape = channels === 0 ? [1, size, size, c] : [channels, size, size, c];
      const data = randomData({ shape, dtype: "int8", range: [-127, 127] }, random);
      const filter = addTensor(d, `w${d.tensors.size}`, shape, { quant: perTensor(0.01), data });
      const after = [1, Math.ceil(h / stride), Math.ceil(w / stride), channels || c];
      const out = addTensor(d, `t${d.tensors.size}`, after, { quant: perTensor(0.2, -5) });
      const attrs = { ...(channels === 0 ? depthwiseAttrs : convAttrs), stride: [stride, stride] };
      addNode(d, channels === 0 ? "DEPTHWISE_CONV_2D" : "CONV_2D", [x, filter, null], [out], attrs);
      x = out;
    }
    return toGraph(d, [input], [x]);
  }

  it.each(["host", "cortex-m0plus"])("convolutions give the interpreter's bits on %s", async (target) => {
    const planned = [1, 5, 6, 16].map((width) => planForms(chain(width), "armv6m"));
    for (const { nodes } of planned) for (const n of nodes) expect(n.kernel.isa).toBe("armv6m");
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});
