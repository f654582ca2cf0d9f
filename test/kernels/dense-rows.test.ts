import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { Graph } from "../../src/ops/index.js";
import { randomData } from "../../src/ops/sample.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";

/** Rows of an image, the inputs of each, outputs, scales by channel or one, and whether weights are large. */
const layers = [
  [9, 48, 4, "shared", "small"],
  [25, 160, 4, "shared", "large"],
  [14, 32, 5, "by channel", "small"],
  [12, 24, 6, "by channel", "large"],
  [10, 60, 1, "shared", "small"],
  [6, 88, 11, "by channel", "small"],
  [9, 44, 7, "shared", "large"],
  [20, 21, 3, "by channel", "small"],
] as const;

/** A fully connected layer after an image whose rows may be given one by one. */
function dense([rows, inputs, units, scales, size]: (typeof layers)[number], seed: number): Graph {
  const d = newDraft();
  const random = seededRandom(seed);
  const input = addTensor(d, "input", [1, rows, 1, inputs], { quant: perTensor(0.05, 11) });
  const range = size === "large" ? ([-127, 127] as const) : ([-20, 20] as const);
  const shape = [units, rows * inputs];
  const quant = scales === "shared" ? perTensor(0.01) : sampleChannels(units, 0.01);
  const weights = addTensor(d, "weights", shape, { quant, data: randomData({ shape, dtype: "int8", range }, random) });
  const bias = addTensor(d, "bias", [units], {
    dtype: "int32",
    data: randomData({ shape: [units], dtype: "int32", range: [-3000, 3000] }, random),
  });
  const output = addTensor(d, "output", [1, units], { quant: perTensor(0.7, -3) });
  addNode(d, "FULLY_CONNECTED", [input, weights, bias], [output], { activation: "NONE", keepNumDims: false });
  return toGraph(d, [input], [output]);
}

describe.each([
  ["dsp", "host"],
  ["dsp", "cortex-m4"],
  ["helium", "host"],
  ["helium", "cortex-m55"],
  ["portable", "cortex-m4"],
] as const)("fully connected layers of %s kernels on %s", (isa, target) => {
  const planned = layers.map((layer) => planForms(dense(layer, layer[0]), isa));

  it("have a kernel that takes the input row by row", () => {
    for (const [i, { nodes, forms }] of planned.entries()) {
      // The words of the DSP kernel's stream are of four inputs.
      const isPortable = isa === "portable" || (isa === "dsp" && (layers[i]?.[1] ?? 0) % 4 !== 0);
      expect(nodes[0]?.fold?.symbol).toBe(`th_fully_connected_s8_${isPortable ? "" : `${isa}_`}fold`);
      expect(forms.pushed.steps.map(({ mode }) => mode)).toContain("fold");
    }
  });

  it("give the interpreter's bits", { timeout: 120_000 }, async () => {
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});
