import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planModel } from "../src/app/compile.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor } from "../src/ir/graph.js";
import type { Graph, Node } from "../src/ops/index.js";
import { orderNodes, peakOfOrder } from "../src/plan/order.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { addNode, addTensor, newDraft, toGraph, toModel } from "./graphs.js";
import { randomGraph } from "./random-graph.js";

/** Every order of the nodes in which inputs come before their readers. */
function* orders(graph: Graph, made: ReadonlySet<TensorId>, rest: readonly Node[]): Generator<readonly Node[]> {
  if (rest.length === 0) yield [];
  for (const node of rest) {
    const isReady = node.inputs.every((id) => id === null || made.has(id) || graph.tensors.get(id)?.data);
    if (!isReady) continue;
    const others = rest.filter((n) => n !== node);
    for (const tail of orders(graph, new Set([...made, ...node.outputs]), others)) yield [node, ...tail];
  }
}

const run = (graph: Graph) => createSession({ main: graph, subgraphs: [] }).invoke(testInputs(graph, 0));

describe("the order of operators", () => {
  it("is the best there is, where all can be tried", () => {
    let improved = 0;
    fc.assert(
      fc.property(
        randomGraph.filter((g) => g.nodes.length <= 7),
        (graph) => {
          const found = orderNodes(graph);
          const all = [...orders(graph, new Set(graph.inputs), graph.nodes)];
          const best = Math.min(...all.map((nodes) => peakOfOrder({ ...graph, nodes })));
          expect(peakOfOrder(found)).toBe(best);
          if (found !== graph) improved++;
        },
      ),
      { numRuns: 200, seed: 5 },
    );
    expect(improved).toBeGreaterThan(5);
  });

  it("never needs more than the given one, and computes the same", () => {
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const found = orderNodes(graph);
        expect(peakOfOrder(found)).toBeLessThanOrEqual(peakOfOrder(graph));
        expect(run(found)).toEqual(run(graph));
      }),
      { numRuns: 150, seed: 6 },
    );
  });

  it("runs one branch to its small end before it begins the other", () => {
    const d = newDraft();
    const q = perTensor(0.1);
    const input = addTensor(d, "x", [1, 8, 8, 4], { quant: q });
    const branches = [0, 1, 2].map((b) => {
      const wide = addTensor(d, `wide${b}`, [1, 8, 8, 16], { quant: q });
      const weights = addTensor(d, `w${b}`, [1, 1, 1, 16], { quant: q, data: new Int8Array(16).fill(b + 1) });
      const attrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], depthMultiplier: 4, activation: "NONE" };
      return { wide, weights, attrs, small: addTensor(d, `small${b}`, [1, 1, 1, 16], { quant: q }) };
    });
    const pool = { padding: "VALID", stride: [8, 8], kernel: [8, 8], activation: "NONE" };
    // As a breadth-first exporter writes them: all wide tensors first.
    for (const b of branches) addNode(d, "DEPTHWISE_CONV_2D", [input, b.weights, null], [b.wide], b.attrs);
    for (const b of branches) addNode(d, "MAX_POOL_2D", [b.wide], [b.small], pool);
    const joined = addTensor(d, "joined", [1, 1, 1, 48], { quant: q });
    addNode(
      d,
      "CONCATENATION",
      branches.map((b) => b.small),
      [joined],
      { axis: -1, activation: "NONE" },
    );
    const graph = toGraph(d, [input], [joined]);
    expect(peakOfOrder(graph)).toBe(256 + 3 * 1024);
    expect(peakOfOrder(orderNodes(graph))).toBe(256 + 1024 + 2 * 16);
    const { plan, graph: planned } = planModel(toModel(graph));
    expect(plan.peakBytes).toBeLessThanOrEqual(256 + 1024 + 64);
    expect(run(planned)).toEqual(run(graph));
  });
});

describe("the search for an order", () => {
  it("gives up soon on very wide graphs, and is then greedy", () => {
    const d = newDraft();
    const quant = perTensor(0.1);
    const input = addTensor(d, "x", [1, 1, 1, 8], { quant });
    const ends = Array.from({ length: 120 }, (_, i) => {
      const middle = addTensor(d, `m${i}`, [1, 1, 1, 8], { quant });
      const end = addTensor(d, `e${i}`, [1, 1, 1, 8], { quant });
      return { middle, end };
    });
    for (const { middle } of ends) addNode(d, "RELU", [input], [middle]);
    for (const { middle, end } of ends) addNode(d, "RELU", [middle], [end]);
    const joined = addTensor(d, "y", [1, 1, 1, 960], { quant });
    const attrs = { axis: -1, activation: "NONE" };
    addNode(
      d,
      "CONCATENATION",
      ends.map((e) => e.end),
      [joined],
      attrs,
    );
    const graph = toGraph(d, [input], [joined]);
    const start = performance.now();
    expect(peakOfOrder(orderNodes(graph))).toBeLessThanOrEqual(peakOfOrder(graph));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
