import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addNode, addTensor, newDraft, toGraph, toModel } from "../../test/graphs.js";
import { saturatedGraph } from "../../test/random-graph.js";
import { elementsOf, makeData, rangeOf, type TensorData } from "../base/dtype.js";
import { perTensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { testInputs } from "../run/inputs.js";
import { createSession } from "../run/interpreter.js";
import { removedChannels } from "./dead-channels.js";
import { runPipeline } from "./pipeline.js";
import { constantChannels } from "./ranges.js";

const whole = (graph: Graph): Graph => runPipeline(toModel(graph), { deadChannels: "keep" });
const without = (graph: Graph): Graph => runPipeline(toModel(graph), { check: "each" });

/** Inputs at the ends of their type: all low, all high, and in turns. */
function extremeInputs(graph: Graph): readonly (readonly TensorData[])[] {
  const fill = (pick: (i: number, min: number, max: number) => number): readonly TensorData[] =>
    graph.inputs.map((id) => {
      const t = tensorOf(graph, id);
      const { min, max } = rangeOf(t.dtype);
      const data = makeData(t.dtype, elementsOf(t.shape)) as Int8Array;
      return data.map((_, i) => pick(i, min, max));
    });
  return [fill((_, min) => min), fill((_, __, max) => max), fill((i, min, max) => ((i * 7) % 3 === 0 ? min : max))];
}

function expectSame(graph: Graph, changed: Graph): void {
  const runs = [testInputs(graph, 0), testInputs(graph, 1), ...extremeInputs(graph)];
  for (const inputs of runs) {
    const [want, found] = [graph, changed].map((main) => createSession({ main, subgraphs: [] }).invoke(inputs));
    expect(found).toEqual(want);
  }
}

const quant = perTensor(0.1, 3);
const window = { stride: [1, 1], dilation: [1, 1], activation: "RELU6" } as const;

/** A convolution of which channel 1 is stuck at 63, channel 2 at the zero point, before one with the given window. */
function stuck(size: number, padding: "SAME" | "VALID", bias: "given" | "none" = "given"): Graph {
  const d = newDraft();
  const weights = (n: number, scale: number) => ({
    quant: perTensor(scale),
    data: Int8Array.from({ length: n }, (_, i) => ((i * 37) % 251) - 125),
  });
  const x = addTensor(d, "x", [1, 5, 5, 2], { quant });
  const first = addTensor(d, "first", [3, 1, 1, 2], weights(6, 0.002));
  const pushed = addTensor(d, "pushed", [3], {
    dtype: "int32",
    quant: perTensor(0.0002),
    data: Int32Array.of(0, 10 ** 6, -(10 ** 6)),
  });
  const middle = addTensor(d, "middle", [1, 5, 5, 3], { quant });
  const second = addTensor(d, "second", [2, size, size, 3], weights(6 * size * size, 0.0008));
  const added =
    bias === "given" ? addTensor(d, "added", [2], { dtype: "int32", data: Int32Array.of(5000, -900) }) : null;
  const end = padding === "SAME" ? 5 : 6 - size;
  const y = addTensor(d, "y", [1, end, end, 2], { quant });
  addNode(d, "CONV_2D", [x, first, pushed], [middle], { ...window, padding: "VALID" });
  addNode(d, "CONV_2D", [middle, second, added], [y], { ...window, padding, activation: "NONE" });
  return toGraph(d, [x], [y]);
}

const channelsOf = (graph: Graph, name: string): number | undefined =>
  [...graph.tensors.values()].find((t) => t.name === name)?.shape.at(-1);

describe("dead channels", () => {
  it("random graphs with channels stuck at their ends compute the same without them", () => {
    let removed = 0;
    fc.assert(
      fc.property(saturatedGraph, (graph) => {
        const small = without(graph);
        expectSame(graph, small);
        removed += removedChannels(whole(graph), small).channels;
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(removed).toBeGreaterThan(200);
  });

  it("are folded into the bias where no tap lies in the padding, one that is made if need be", () => {
    for (const bias of ["given", "none"] as const) {
      for (const [size, padding] of [
        [1, "SAME"],
        [3, "VALID"],
      ] as const) {
        const graph = stuck(size, padding, bias);
        const small = without(graph);
        expect(channelsOf(small, "middle"), `${bias} ${size} ${padding}`).toBe(1);
        expectSame(graph, small);
      }
    }
  });

  it("stay where padding counts as zero but the channel is stuck at another value", () => {
    const graph = stuck(3, "SAME");
    const small = without(graph);
    // Channel 2 is stuck at the zero point and goes; channel 1, at 63, adds less at the border than inside.
    expect(channelsOf(small, "middle")).toBe(2);
    expectSame(graph, small);
    const [inside] = createSession({ main: graph, subgraphs: [] }).invoke(extremeInputs(graph)[0] ?? []);
    const values = inside as Int8Array;
    expect(values[0], "folding would make the corner like the centre").not.toBe(values[2 * 12]);
  });

  it("stay where the folded bias would not fit 32 bits", () => {
    const graph = stuck(1, "VALID");
    const added = [...graph.tensors.values()].find((t) => t.name === "added");
    const tensors = new Map(graph.tensors);
    if (added) tensors.set(added.id, { ...added, data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) });
    const near = { ...graph, tensors };
    const small = without(near);
    expect(channelsOf(small, "middle")).toBe(3);
    expectSame(near, small);
  });

  it("of ports stay, and a tensor keeps one channel", () => {
    const graph = stuck(1, "VALID");
    const middle = [...graph.tensors.values()].find((t) => t.name === "middle");
    const seen = { ...graph, outputs: [...graph.outputs, ...(middle ? [middle.id] : [])] };
    expect(channelsOf(without(seen), "middle")).toBe(3);
    const tensors = new Map(graph.tensors);
    const pushed = [...graph.tensors.values()].find((t) => t.name === "pushed");
    if (pushed) tensors.set(pushed.id, { ...pushed, data: Int32Array.of(10 ** 6, 10 ** 6, -(10 ** 6)) });
    const silent = { ...graph, tensors };
    expect(constantChannels(whole(silent))).toBeGreaterThanOrEqual(3);
    expect(channelsOf(without(silent), "middle")).toBe(1);
    expectSame(silent, without(silent));
  });

  it("stay when asked, and names, origins and the graph that was given are left alone", () => {
    const graph = stuck(1, "VALID");
    expect(channelsOf(whole(graph), "middle")).toBe(3);
    const small = without(graph);
    expect(channelsOf(graph, "middle")).toBe(3);
    expect(small.nodes.map((n) => n.origin)).toEqual(graph.nodes.map((n) => n.origin));
    const names = (g: Graph) => g.nodes.flatMap((n) => n.inputs.map((id) => id !== null && g.tensors.get(id)?.name));
    expect(names(small)).toEqual(names(graph));
  });

  it("report what they cost", () => {
    const graph = stuck(3, "VALID");
    // 25 pixels of a 2 to 3 and 9 of a 3x3x3 to 2 convolution; two of the three channels in the middle go.
    expect(removedChannels(whole(graph), without(graph))).toEqual({
      channels: 2,
      macs: 25 * 2 * 2 + 9 * 9 * 2 * 2,
      weightsBytes: 2 * 2 + 2 * 4 + 9 * 2 * 2,
      layers: [{ name: "middle", op: "CONV_2D", channels: 2 }],
    });
  });
});
