import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import type { Graph } from "../../src/ops/index.js";
import { randomData } from "../../src/ops/sample.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";
import { convAttrs } from "./conv-samples.js";
import { depthwiseAttrs } from "./depthwise-samples.js";

/** Channels, kernel size and stride of convolutions; depthwise ones keep their channels. */
const layers = [
  ["CONV_2D", 8, 3, 1],
  ["DEPTHWISE_CONV_2D", 8, 3, 1],
  ["CONV_2D", 21, 1, 1],
  ["DEPTHWISE_CONV_2D", 21, 3, 2],
  ["CONV_2D", 19, 1, 1],
  ["DEPTHWISE_CONV_2D", 19, 5, 1],
  ["CONV_2D", 5, 3, 2],
  ["CONV_2D", 6, 1, 2],
] as const;

/** Layers whose outputs take over storage of their inputs. */
function chain(width: number): Graph {
  const d = newDraft();
  const random = seededRandom(width);
  let x = addTensor(d, "input", [1, 11, width, 3], { quant: perTensor(0.1, 3) });
  const input = x;
  for (const [op, channels, size, stride] of layers) {
    const [, h = 1, w = 1, c = 1] = d.tensors.get(x)?.shape ?? [];
    const isDepthwise = op === "DEPTHWISE_CONV_2D";
    const shape = isDepthwise ? [1, size, size, channels] : [channels, size, size, c];
    const data = randomData({ shape, dtype: "int8", range: [-127, 127] }, random);
    const filter = addTensor(d, `w${d.tensors.size}`, shape, { quant: perTensor(0.01), data });
    const after = [1, Math.ceil(h / stride), Math.ceil(w / stride), channels];
    const out = addTensor(d, `t${d.tensors.size}`, after, { quant: perTensor(0.2, -5) });
    const attrs = { ...(isDepthwise ? depthwiseAttrs : convAttrs), stride: [stride, stride] };
    addNode(d, op, [x, filter, null], [out], attrs as never);
    x = out;
  }
  return toGraph(d, [input], [x]);
}

describe("kernels for Helium, planned by rows", () => {
  it.each(["host", "cortex-m55"])("give the interpreter's bits on %s", { timeout: 120_000 }, async (target) => {
    const planned = [1, 5, 6, 15, 16].map((width) => planForms(chain(width), "helium"));
    for (const { nodes } of planned) for (const n of nodes) expect(n.kernel.isa).toBe("helium");
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});
