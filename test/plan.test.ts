import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { perTensor } from "../src/ir/graph.js";
import { printGraph } from "../src/ir/print.js";
import type { Graph } from "../src/ops/index.js";
import { type LoweredNode, lower, rowsOf } from "../src/ops/lower.js";
import { assignOffsets, liveLowerBound, type Overlap, type Request } from "../src/plan/offsets.js";
import type { Buffer, Firing, Plan, PlannedGroup } from "../src/plan/plan.js";
import { planGroups, planLayers } from "../src/plan/planner.js";
import { verifyPlan } from "../src/plan/verifier.js";
import { findTarget } from "../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "./graphs.js";
import { leastPeak, planForms, rowsPlan, runForms, sizeProblems } from "./plan-checks.js";
import { randomGraph, tinyGraph } from "./random-graph.js";

const request = fc
  .record({
    bytes: fc.integer({ min: 1, max: 5000 }),
    firstStep: fc.integer({ min: 0, max: 20 }),
    length: fc.integer({ min: 0, max: 8 }),
    alignment: fc.constantFrom(1, 4, 8),
  })
  .map(({ length, ...r }): Request => ({ ...r, lastStep: r.firstStep + length }));

const overlap = (a: Request, b: Request): boolean => a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;

describe("offsets", () => {
  it("buffers alive together never share bytes, offsets are aligned, the extent is between its bounds", () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 24 }), fc.constantFrom(0, 16), (requests, guard) => {
        const { offsets, extent } = assignOffsets({ requests, guardBytes: guard });
        requests.forEach((a, i) => {
          const start = offsets[i] ?? -1;
          expect(start % a.alignment).toBe(0);
          expect(start + a.bytes).toBeLessThanOrEqual(extent);
          requests.forEach((b, j) => {
            if (j <= i || !overlap(a, b)) return;
            const other = offsets[j] ?? -1;
            expect(start + a.bytes + guard <= other || other + b.bytes + guard <= start).toBe(true);
          });
        });
        expect(extent).toBeGreaterThanOrEqual(liveLowerBound(requests));
        expect(extent).toBeLessThanOrEqual(requests.reduce((sum, r) => sum + r.bytes + guard + r.alignment, 0));
      }),
      { numRuns: 300 },
    );
  });

  it("a chain of layers is placed at its lower bound", () => {
    const sizes = [490, 8000, 8000, 8000, 4000, 64, 12];
    const requests = sizes.map(
      (bytes, i): Request => ({ bytes, alignment: 1, firstStep: Math.max(i - 1, 0), lastStep: i }),
    );
    expect(assignOffsets({ requests }).extent).toBe(liveLowerBound(requests));
  });

  it("buffers that may overlap keep their distances, in both directions", () => {
    const distances = fc.array(
      fc.record({ lower: fc.nat(11), upper: fc.nat(11), distance: fc.integer({ min: -6000, max: 5000 }) }),
      { maxLength: 20 },
    );
    let shared = 0;
    fc.assert(
      fc.property(fc.array(request, { minLength: 2, maxLength: 12 }), distances, (requests, given) => {
        const overlaps = [...new Map(given.map((o) => [`${o.lower} ${o.upper}`, o])).values()].filter(
          (o) => o.lower !== o.upper && o.lower < requests.length && o.upper < requests.length,
        );
        const { offsets, extent } = assignOffsets({ requests, overlaps });
        const distance = (a: number, b: number): number =>
          overlaps.find((o: Overlap) => o.lower === a && o.upper === b)?.distance ?? Infinity;
        requests.forEach((a, i) => {
          const start = offsets[i] ?? -1;
          expect(start % a.alignment).toBe(0);
          expect(start + a.bytes).toBeLessThanOrEqual(extent);
          requests.forEach((b, j) => {
            if (j <= i || !overlap(a, b)) return;
            const other = offsets[j] ?? -1;
            const isApart = start + a.bytes <= other || other + b.bytes <= start;
            if (!isApart) shared++;
            expect(isApart || other - start >= distance(i, j) || start - other >= distance(j, i)).toBe(true);
          });
        });
      }),
      { numRuns: 300, seed: 3 },
    );
    expect(shared).toBeGreaterThan(100);
  });

  it.each([
    // The first fills from below while the second, 40 below or 24 above it, still empties.
    ["below", [{ lower: 1, upper: 0, distance: 40 }], 140],
    ["above", [{ lower: 0, upper: 1, distance: 24 }], 124],
    [
      "either way, the closer one",
      [
        { lower: 0, upper: 1, distance: 24 },
        { lower: 1, upper: 0, distance: 40 },
      ],
      124,
    ],
    [
      "on the spot",
      [
        { lower: 0, upper: 1, distance: -8 },
        { lower: 1, upper: 0, distance: 8 },
      ],
      100,
    ],
  ] as const)("two buffers, one %s the other", (_, overlaps, extent) => {
    const buffer: Request = { bytes: 100, alignment: 4, firstStep: 0, lastStep: 1 };
    expect(assignOffsets({ requests: [buffer, buffer], overlaps }).extent).toBe(extent);
  });
});

/** The plan with a buffer replaced. */
const withBuffer = (plan: Plan, changed: Buffer): Plan => {
  const buffers = plan.buffers.map((b) => (b.id === changed.id ? changed : b));
  const bufferOf = new Map([...plan.bufferOf].map(([id, b]) => [id, buffers[b.id] ?? b]));
  return { ...plan, buffers, bufferOf };
};

const isFoundOut = (graph: Graph, nodes: readonly LoweredNode[], plan: Plan): void =>
  expect(() => verifyPlan(graph, nodes, plan), printGraph(graph, { constants: "omitted" })).toThrow(DiagnosticError);

/** Rows of input `index` that must be there before a node's firing; only of nodes in a stream. */
function needOf(lowered: LoweredNode, mode: string, index: number, firing: number): number {
  const t = lowered.view.inputs[index];
  if (!t) return 0;
  const window = lowered.rows?.windows[index];
  if (mode === "fold" && index === 0) return firing + 1;
  if (mode !== "rows" || !window) return rowsOf(t);
  return Math.min(Math.max(window.first(firing) + (window.taps - 1) * window.dilation + 1, 0), rowsOf(t));
}

/** Places in a group's order where a firing reads the very row that the one before it has made. */
function handovers(plan: Plan, { order }: PlannedGroup, nodes: readonly LoweredNode[]): readonly number[] {
  const fired = new Map<Firing, number>();
  return (order ?? []).flatMap((firing, at) => {
    const count = fired.get(firing) ?? 0;
    fired.set(firing, count + 1);
    const before = order?.[at - 1];
    if (before === undefined || before === firing || firing === "push") return [];
    const maker = before === "push" ? null : plan.steps[before];
    if (maker?.mode === "fold" || nodes[firing] === undefined) return [];
    const made = before === "push" ? [plan.pushed] : nodes[before]?.node.outputs;
    const done = fired.get(before) ?? 0;
    const reads = nodes[firing].view.inputs.some(
      (t, i) =>
        t !== null &&
        made?.includes(t.id) &&
        needOf(nodes[firing] as LoweredNode, plan.steps[firing]?.mode ?? "", i, count) >= done,
    );
    return reads ? [at] : [];
  });
}

/** One node that reads an image through a window. */
const window = fc.record({
  height: fc.integer({ min: 1, max: 12 }),
  taps: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.constantFrom("SAME", "VALID"),
  multiplier: fc.integer({ min: 1, max: 3 }),
});

type WindowSize = typeof window extends fc.Arbitrary<infer T> ? T : never;

function windowGraph({ height, taps, stride, padding, multiplier }: WindowSize): Graph | null {
  const d = newDraft();
  const quant = perTensor(0.1, 3);
  const outHeight = padding === "SAME" ? Math.ceil(height / stride) : Math.floor((height - taps) / stride) + 1;
  const before = padding === "SAME" ? Math.floor(Math.max((outHeight - 1) * stride + taps - height, 0) / 2) : 0;
  // Rows that nothing reads are kept all the same.
  if (outHeight < 1 || taps < stride || (outHeight - 1) * stride - before + taps < height) return null;
  // Rows of a whole number of words, so that alignment does not matter.
  const input = addTensor(d, "x", [1, height, 2, 2], { quant });
  const weights = addTensor(d, "w", [1, taps, 1, 2 * multiplier], {
    quant: perTensor(0.1),
    data: new Int8Array(taps * 2 * multiplier),
  });
  const output = addTensor(d, "y", [1, outHeight, 2, 2 * multiplier], { quant });
  const attrs = { padding, stride: [stride, 1], dilation: [1, 1], depthMultiplier: multiplier, activation: "NONE" };
  addNode(d, "DEPTHWISE_CONV_2D", [input, weights, null], [output], attrs);
  return toGraph(d, [input], [output]);
}

/** The smallest arena in which two buffers can lie, found by trying all places. */
function leastExtent(graph: Graph, nodes: readonly LoweredNode[], plan: Plan): number {
  const [a, b] = plan.buffers as readonly [Buffer, Buffer];
  const total = a.bytes + b.bytes;
  let least = total;
  for (let at = -b.bytes; at <= a.bytes; at += 4) {
    const base = Math.max(-at, 0);
    const extent = Math.max(base + a.bytes, base + at + b.bytes);
    if (extent >= least) continue;
    const moved = withBuffer(withBuffer({ ...plan, arenaBytes: total }, { ...a, offset: base }), {
      ...b,
      offset: base + at,
    });
    try {
      verifyPlan(graph, nodes, moved);
      least = extent;
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
    }
  }
  return least;
}

/** Shrinking a graph plans it hundreds of times: after the limit, what has been found so far is reported. */
const runs = (numRuns: number, seed: number) => ({ numRuns, seed, interruptAfterTimeLimit: 100_000 });

describe("plans of random graphs", () => {
  const host = findTarget("host");
  it.skipIf(host.missingTool() !== null)(
    "give the interpreter's bytes when compiled: layers, rows, pushed",
    async () => {
      const graphs = fc.sample(randomGraph, { numRuns: 60, seed: 42 });
      const problems = await runForms(
        host,
        graphs.map((g) => planForms(g)),
      );
      const wrong = graphs.flatMap((graph, i) =>
        problems[i]?.length === 0 ? [] : [...(problems[i] ?? []), printGraph(graph, { constants: "omitted" })],
      );
      expect(wrong).toEqual([]);
    },
  );

  it("pass the replay, are not below what is live, and streaming never needs more than layers", () => {
    let smaller = 0;
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const planned = planForms(graph);
        expect(sizeProblems(planned)).toEqual([]);
        const { rows, layers } = planned.forms;
        expect(layers.peakBytes).toBeLessThanOrEqual(layers.buffers.reduce((sum, b) => sum + b.bytes + 8, 0));
        if (rows.peakBytes < layers.peakBytes) smaller++;
      }),
      runs(120, 1),
    );
    expect(smaller).toBeGreaterThan(25);
  });

  it("let an output grow over its input exactly as far as the rows allow", () => {
    let overlapping = 0;
    fc.assert(
      fc.property(window, (given) => {
        const graph = windowGraph(given);
        if (graph === null) return;
        const nodes = lower(graph);
        const plan = planLayers(graph, nodes);
        const least = leastExtent(graph, nodes, plan);
        expect(plan.peakBytes).toBe(least);
        if (least < plan.buffers.reduce((sum, b) => sum + b.bytes, 0)) overlapping++;
      }),
      runs(300, 11),
    );
    expect(overlapping).toBeGreaterThan(100);
  });

  it("are the smallest of all ways to cut a tiny graph", () => {
    fc.assert(
      fc.property(tinyGraph, fc.constantFrom("resident", "pushed"), (graph, feed) => {
        const nodes = lower(graph);
        expect(rowsPlan(graph, nodes, feed).peakBytes).toBeLessThanOrEqual(leastPeak(graph, nodes, feed));
      }),
      runs(150, 4),
    );
  });

  it("are found out when two live buffers are moved together", () => {
    let found = 0;
    fc.assert(
      fc.property(randomGraph, fc.nat(), (graph, pick) => {
        const nodes = lower(graph);
        const plan = planLayers(graph, nodes);
        const moved = plan.buffers[pick % plan.buffers.length];
        const other = plan.buffers.find(
          (b) => moved && b.id !== moved.id && b.firstStep < moved.lastStep && moved.firstStep < b.lastStep,
        );
        if (!moved || !other) return;
        found++;
        isFoundOut(graph, nodes, withBuffer(plan, { ...moved, offset: other.offset }));
      }),
      runs(300, 7),
    );
    expect(found).toBeGreaterThan(30);
  });

  it("are found out when a ring is a row smaller", () => {
    let found = 0;
    fc.assert(
      fc.property(randomGraph, fc.constantFrom("resident", "pushed"), (graph, feed) => {
        const nodes = lower(graph);
        const plan = rowsPlan(graph, nodes, feed);
        const isRead = (b: Buffer): boolean => nodes.some((n) => n.node.inputs.includes(b.tensors.at(-1) as never));
        for (const b of plan.buffers) {
          const t = graph.tensors.get(b.tensors[0] as never);
          // Nobody notices in a result that nobody reads.
          if (!t || b.rows >= rowsOf(t) || b.rows < 2 || !isRead(b)) continue;
          found++;
          isFoundOut(graph, nodes, withBuffer(plan, { ...b, rows: b.rows - 1, bytes: b.bytes - b.rowBytes }));
        }
      }),
      runs(100, 8),
    );
    expect(found).toBeGreaterThan(12);
  });

  it("are found out when a row is read before it is made", () => {
    let found = 0;
    fc.assert(
      fc.property(randomGraph, fc.constantFrom("resident", "pushed"), fc.nat(), (graph, feed, pick) => {
        const nodes = lower(graph);
        const plan = rowsPlan(graph, nodes, feed);
        for (const [g, group] of plan.groups.entries()) {
          const places = handovers(plan, group, nodes);
          const at = places[pick % places.length];
          if (at === undefined || group.order === null) continue;
          found++;
          const order = group.order.with(at - 1, group.order[at] as Firing).with(at, group.order[at - 1] as Firing);
          isFoundOut(graph, nodes, { ...plan, groups: plan.groups.with(g, { ...group, order }) });
        }
      }),
      runs(100, 9),
    );
    expect(found).toBeGreaterThan(30);
  });

  it("are found out when a firing is missing", () => {
    let found = 0;
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const nodes = lower(graph);
        const { groups, ...plan } = rowsPlan(graph, nodes, "pushed");
        // A node that never begins is only missed by what reads it, and there may be nothing.
        const g = groups.findIndex(({ order }) => {
          const last = order?.at(-1);
          return last !== undefined && last !== "push" && order?.indexOf(last) !== (order?.length ?? 0) - 1;
        });
        const group = groups[g];
        if (!group?.order) return;
        found++;
        isFoundOut(graph, nodes, { ...plan, groups: groups.with(g, { ...group, order: group.order.slice(0, -1) }) });
      }),
      runs(60, 10),
    );
    expect(found).toBeGreaterThan(8);
  });

  it("refuse groups that cannot stream", () => {
    const d = newDraft();
    const quant = perTensor(0.1, 3);
    const input = addTensor(d, "x", [1, 2, 3, 2], { quant });
    const flat = addTensor(d, "flat", [1, 12], { quant });
    const output = addTensor(d, "y", [1, 12], { quant });
    addNode(d, "RESHAPE", [input], [flat], { shape: [1, 12] });
    addNode(d, "RELU", [flat], [output]);
    const graph = toGraph(d, [input], [output]);
    expect(() => planGroups(graph, lower(graph), [{ first: 0, end: 2 }], "resident")).toThrow(/cannot stream/);
  });
});
