import { describe, expect, it } from "vitest";
import { addNode, addTensor, type Draft, newDraft, toGraph } from "../../test/graphs.js";
import { classify, combine, convolve, pool, type Window } from "../../test/series-graph.js";
import { DiagnosticError } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { perTensor } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { hopStages, periodOf, playHop } from "./hops.js";
import { planIncremental, stateBytes } from "./incremental.js";
import { verifyIncremental } from "./incremental-verifier.js";
import type { Buffer, Plan } from "./plan.js";
import { findShifts, type Shifts } from "./shifts.js";

const quant = perTensor(0.1, 3);

const valid = (kernel: number, stride = 1, dilation = 1): Window => ({ kernel, stride, dilation, padding: "VALID" });

/** A graph of one input of so many rows; `grow` adds the rest and gives the outputs. */
function graphOf(rows: number, grow: (d: Draft, input: TensorId) => readonly (TensorId | null)[]): Graph {
  const d = newDraft();
  const input = addTensor(d, "x", [1, rows, 1, 2], { quant });
  const outputs = grow(d, input).filter((id): id is TensorId => id !== null);
  return toGraph(d, [input], outputs);
}

const shiftsOf = (graph: Graph, hop: number): Shifts => findShifts(graph, lower(graph, { sharing: "separate" }), hop);
const planOf = (graph: Graph, hop: number): Plan => planIncremental(graph, lower(graph, { sharing: "separate" }), hop);

/** Rows of a window and of a hop, of each streamed node. */
const moves = (graph: Graph, hop: number) => shiftsOf(graph, hop).nodes.map((n) => [n.rows, n.hop]);

/** Code and text of the diagnostic of a refusal. */
function refusal(graph: Graph, hop: number): string {
  try {
    planOf(graph, hop);
  } catch (error) {
    if (error instanceof DiagnosticError) return error.message;
    throw error;
  }
  return "accepted";
}

const chain = (d: Draft, x: TensorId, ...windows: readonly Window[]): TensorId =>
  windows.reduce((at, w) => convolve(d, at, w, 3) as TensorId, x);

describe("shifts", () => {
  it("divide by strides", () => {
    const graph = graphOf(30, (d, x) => [chain(d, x, valid(3), valid(2, 2), valid(3, 1, 2), valid(2, 3))]);
    expect(moves(graph, 6)).toEqual([
      [28, 6],
      [14, 3],
      [10, 3],
      [3, 1],
    ]);
  });

  it("are one row per hop where a result has one row, whatever the hop", () => {
    const graph = graphOf(10, (d, x) => [chain(d, x, valid(3), valid(8, 5), valid(1))]);
    for (const hop of [1, 2, 3])
      expect(moves(graph, hop)).toEqual([
        [8, hop],
        [1, 1],
        [1, 1],
      ]);
    expect(shiftsOf(graph, 3).nodes[1]?.reads[0]).toMatchObject({ stride: 3, first: 0, span: 8 });
  });

  it("end at padding, at reductions, and where a hop leaves nothing", () => {
    const same = { ...valid(3), padding: "SAME" } as const;
    expect(
      moves(
        graphOf(20, (d, x) => [chain(d, x, valid(3), same, valid(2))]),
        1,
      ),
    ).toHaveLength(1);
    expect(
      moves(
        graphOf(20, (d, x) => [classify(d, chain(d, x, valid(3)))]),
        1,
      ),
    ).toHaveLength(1);
    expect(
      moves(
        graphOf(20, (d, x) => [chain(d, x, valid(3), valid(12), valid(2))]),
        8,
      ),
    ).toHaveLength(1);
  });

  it("are those of both inputs, or none", () => {
    const branches = (stride: number) =>
      graphOf(20, (d, x) => {
        const right = convolve(d, x, valid(3, stride), 3) as TensorId;
        const left = stride === 1 ? (convolve(d, x, valid(3), 3) as TensorId) : chain(d, x, valid(1, 2), valid(2));
        return [combine(d, left, right)];
      });
    expect(moves(branches(1), 2)).toHaveLength(3);
    expect(moves(branches(2), 2)).toEqual([
      [9, 1],
      [10, 1],
      [9, 1],
      [9, 1],
    ]);
  });
});

describe("refusals", () => {
  const plain = graphOf(12, (d, x) => [chain(d, x, valid(3))]);

  it.each([0, -1, 1.5, 12, 40])("a hop of %d rows", (hop) => {
    expect(refusal(plain, hop)).toMatch(/TH3005.*a hop of .* rows, expected 1 to 11 of the input's 12 rows/s);
  });

  it("a hop that leaves nothing", () => {
    expect(refusal(plain, 11)).toMatch(/TH3005.*op 0 CONV_2D.*leaves none of its 10 rows.*shorter hop/s);
    expect(refusal(plain, 10)).toMatch(/TH3005.*leaves none of its 10 rows/s);
  });

  it("a hop that strides do not divide, naming the hops that they do", () => {
    const graph = graphOf(40, (d, x) => [chain(d, x, valid(3, 2), valid(2, 3), valid(2))]);
    expect(refusal(graph, 3)).toMatch(/TH3005.*op 0 CONV_2D.*stands for 2, expected a multiple of 6/s);
    expect(refusal(graph, 4)).toMatch(/TH3005.*op 1 CONV_2D.*stands for 6, expected a multiple of 6/s);
    expect(refusal(graph, 6)).toBe("accepted");
  });

  it("a first operator that pads", () => {
    const graph = graphOf(12, (d, x) => [chain(d, x, { ...valid(3), padding: "SAME" })]);
    expect(refusal(graph, 1)).toMatch(/TH3004.*op 0 CONV_2D.*pads its input with 1 rows before and 1 after/s);
  });

  it("a first operator that needs all rows", () => {
    expect(
      refusal(
        graphOf(12, (d, x) => [classify(d, x)]),
        1,
      ),
    ).toMatch(/TH3004.*may need all rows/s);
  });

  it("a constant with a value for each row", () => {
    const graph = graphOf(4, (d, x) => {
      const data = Int8Array.from({ length: 8 }, (_, i) => i);
      return [combine(d, x, addTensor(d, "places", [1, 4, 1, 2], { quant: perTensor(0.1), data }))];
    });
    expect(refusal(graph, 1)).toMatch(/TH3004.*constant tensor 1 "places" with a value for each row/s);
  });

  it("inputs without rows, and several inputs", () => {
    const flat = newDraft();
    const [x, y] = [addTensor(flat, "x", [1, 9], { quant }), addTensor(flat, "y", [1, 9], { quant })];
    addNode(flat, "RELU", [x], [y]);
    expect(refusal(toGraph(flat, [x], [y]), 1)).toMatch(/TH3004.*an input of shape \[1, 9\]/s);
    const two = newDraft();
    const [a, b] = [addTensor(two, "a", [1, 9, 2], { quant }), addTensor(two, "b", [1, 9, 2], { quant })];
    expect(refusal(toGraph(two, [a, b], [combine(two, a, b)]), 1)).toMatch(/TH3004.*2 inputs/s);
  });

  it("state of the model's own", () => {
    const d = newDraft();
    const [x, state] = [
      addTensor(d, "x", [1, 9, 2], { quant }),
      addTensor(d, "state", [1, 9, 2], { quant, variable: true }),
    ];
    expect(refusal(toGraph(d, [x], [combine(d, x, state)]), 1)).toMatch(/TH3004.*variable state/s);
  });
});

describe("hops", () => {
  it("keep as few rows as windows overlap, and wrap numbers where all places repeat", () => {
    const graph = graphOf(30, (d, x) => [chain(d, x, valid(3), valid(1), valid(4, 2, 2))]);
    const shifts = shiftsOf(graph, 2);
    const hop = playHop(hopStages(shifts, new Set()));
    const rings = shifts.nodes.map((n) => hop.rings.get(n.lowered.node.outputs[0] as TensorId));
    expect(hop.rings.get(shifts.input)).toMatchObject({ kept: 3, persists: true });
    // A row that is used at once does not outlive the hop; of 7 rows a stride of 2 frees two at a time.
    expect(rings[0]).toMatchObject({ kept: 1, persists: false });
    expect(rings[1]).toMatchObject({ kept: 7, persists: true });
    expect(hop.stages.map((s) => periodOf(s, hop.rings))).toEqual([3, 3, 7, 7]);
    // Of 28 rows the last window uses 27, so that the next one is complete with the first row that comes.
    expect(hop.order).toEqual([0, 1, 2, 3, 0, 1, 2]);
  });

  it("count only what is new", () => {
    const graph = graphOf(30, (d, x) => [classify(d, chain(d, x, valid(3)))]);
    const plan = planOf(graph, 2);
    expect(plan.incremental?.macs).toBe(2 * 3 * 3 * 2 + 3 * 28 * 3);
    // Three rows of the input, the window of 28 rows of 3 bytes, and the counters of hops, the input, a step and a copy.
    expect(stateBytes(plan)).toBe(3 * 2 + 28 * 3 + 4 * 4);
    expect(plan.bufferOf.get(graph.nodes[0]?.outputs[0] as TensorId)?.bytes).toBe(28 * 3);
  });
});

describe("the replay", () => {
  const graph = graphOf(30, (d, x) => {
    const first = chain(d, x, valid(3), valid(4, 2));
    return [classify(d, first), pool(d, first, valid(2), "MAX_POOL_2D")];
  });
  const nodes = lower(graph, { sharing: "separate" });
  const plan = planOf(graph, 4);
  const check = (changed: Plan) => () => verifyIncremental(graph, nodes, changed);

  const moved = (id: number, change: (b: Buffer) => Partial<Buffer>): Plan => {
    const buffers = plan.buffers.map((b) => (b.id === id ? { ...b, ...change(b) } : b));
    const renewed = (of: ReadonlyMap<TensorId, Buffer>) =>
      new Map([...of].map(([t, b]) => [t, buffers[b.id] as Buffer] as const));
    const incremental = plan.incremental && { ...plan.incremental, ringOf: renewed(plan.incremental.ringOf) };
    return { ...plan, buffers, bufferOf: renewed(plan.bufferOf), incremental };
  };

  it("passes what the planner makes", () => expect(check(plan)).not.toThrow());

  it("finds buffers over state, and rings that are too small", () => {
    const state = plan.buffers.filter((b) => b.kind === "state");
    expect(state.length).toBeGreaterThan(3);
    for (const a of state) {
      for (const b of plan.buffers) {
        // Single bytes are too few to meet anything for certain.
        if (a.id === b.id || b.kind === "output") continue;
        expect(check(moved(b.id, () => ({ offset: a.offset }))), `${b.name} over ${a.name}`).toThrow("TH3003");
      }
      if (a.rows > 1 && [...(plan.incremental?.ringOf.values() ?? [])].includes(a))
        expect(check(moved(a.id, ({ rows }) => ({ rows: rows - 1 })))).toThrow("TH3003");
    }
  });

  it("finds wrong counters", () => {
    const stages = plan.incremental?.stages ?? [];
    const changed = (s: number, change: object): Plan => ({
      ...plan,
      incremental: plan.incremental && {
        ...plan.incremental,
        stages: stages.map((stage, i) => (i === s ? { ...stage, ...change } : stage)),
      },
    });
    for (const [s, { period, start, kind }] of stages.entries()) {
      expect(check(changed(s, { start: start - 1 })), `start of ${kind} ${s}`).toThrow("TH3003");
      if (period > 1) expect(check(changed(s, { period: period + 1 })), `period of ${kind} ${s}`).toThrow("TH3003");
    }
  });

  it("finds firings in the wrong order", () => {
    const order = plan.incremental?.order ?? [];
    const reversed = plan.incremental && { ...plan.incremental, order: [...order].reverse() };
    expect(check({ ...plan, incremental: reversed })).toThrow("TH3003");
  });
});
