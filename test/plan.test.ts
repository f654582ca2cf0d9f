import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { type TensorId, tensorId } from "../src/base/units.js";
import { perTensor, type Tensor } from "../src/ir/graph.js";
import type { Graph, Node } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import { planLayers } from "../src/plan/layers.js";
import { assignOffsets, liveLowerBound, type Request } from "../src/plan/offsets.js";
import type { Plan } from "../src/plan/plan.js";
import { verifyPlan } from "../src/plan/verifier.js";

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
        const { offsets, extent } = assignOffsets(requests, guard);
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
    expect(assignOffsets(requests).extent).toBe(liveLowerBound(requests));
  });
});

interface Draft {
  readonly tensors: Map<TensorId, Tensor>;
  readonly nodes: Node[];
}

const quant = perTensor(0.1, 3);

function tensor(draft: Draft, shape: readonly number[]): TensorId {
  const id = tensorId(draft.tensors.size);
  draft.tensors.set(id, { id, name: `t${id}`, shape, dtype: "int8", quant, data: null, variable: false });
  return id;
}

/** A random graph of elementwise operators, reshapes and joins over one shape: branches and residuals of all kinds. */
const randomGraph = fc
  .array(fc.record({ kind: fc.constantFrom("relu", "add", "reshape", "concat"), a: fc.nat(), b: fc.nat() }), {
    minLength: 1,
    maxLength: 16,
  })
  .map((steps): Graph => {
    const draft: Draft = { tensors: new Map(), nodes: [] };
    const input = tensor(draft, [1, 4, 6, 2]);
    const pool = [input];
    for (const { kind, a, b } of steps) {
      const left = pool[a % pool.length] as TensorId;
      const right = pool[b % pool.length] as TensorId;
      const shape = draft.tensors.get(left)?.shape ?? [];
      const same = draft.tensors.get(right)?.shape.join() === shape.join();
      const origin = { index: draft.nodes.length, op: kind };
      const push = (node: object, out: readonly number[]): void => {
        const id = tensor(draft, out);
        draft.nodes.push({ ...node, outputs: [id], origin } as unknown as Node);
        pool.push(id);
      };
      if (kind === "add" && same)
        push({ op: "ADD", inputs: [left, right], attrs: { activation: "NONE", potScaleInt16: false } }, shape);
      else if (kind === "concat" && same && (shape.at(-1) ?? 0) < 64)
        push({ op: "CONCATENATION", inputs: [left, right], attrs: { axis: -1, activation: "NONE" } }, [
          ...shape.slice(0, -1),
          2 * (shape.at(-1) ?? 1),
        ]);
      else if (kind === "reshape")
        push(
          {
            op: "RESHAPE",
            inputs: [left],
            attrs: {
              shape:
                shape.length === 4
                  ? [shape.reduce((x, y) => x * y, 1)]
                  : [1, 4, 6, shape.reduce((x, y) => x * y, 1) / 24],
            },
          },
          shape.length === 4 ? [shape.reduce((x, y) => x * y, 1)] : [1, 4, 6, shape.reduce((x, y) => x * y, 1) / 24],
        );
      else push({ op: "RELU", inputs: [left], attrs: {} }, shape);
    }
    return {
      name: "random",
      tensors: draft.tensors,
      nodes: draft.nodes,
      inputs: [input],
      outputs: [pool.at(-1) as TensorId],
      variables: [],
    };
  });

/** The plan with one buffer moved or one lifetime ignored. */
const corrupted = (plan: Plan, buffer: number, offset: number): Plan => {
  const buffers = plan.buffers.map((b) => (b.id === buffer ? { ...b, offset } : b));
  const bufferOf = new Map([...plan.bufferOf].map(([id, b]) => [id, buffers[b.id] ?? b]));
  return { ...plan, buffers, bufferOf };
};

describe("plans of random graphs", () => {
  it("pass the replay, and are not below what is live", () => {
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const nodes = lower(graph);
        const plan = planLayers(graph, nodes);
        expect(plan.peakBytes).toBeGreaterThanOrEqual(Math.max(...plan.liveBytes));
        expect(plan.peakBytes).toBeLessThanOrEqual(plan.buffers.reduce((sum, b) => sum + b.bytes + 8, 0));
      }),
      { numRuns: 300 },
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
        expect(() => verifyPlan(graph, nodes, corrupted(plan, moved.id, other.offset))).toThrow(DiagnosticError);
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(found).toBeGreaterThan(30);
  });
});
