import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { toBytes } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { generateModel } from "../src/codegen/model.js";
import { printGraph } from "../src/ir/print.js";
import { type LoweredNode, lower } from "../src/ops/lower.js";
import { planLayers } from "../src/plan/layers.js";
import { assignOffsets, liveLowerBound, type Request } from "../src/plan/offsets.js";
import { overlapDistance } from "../src/plan/overlap.js";
import type { Plan } from "../src/plan/plan.js";
import { verifyPlan } from "../src/plan/verifier.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";
import { randomGraph } from "./random-graph.js";

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
});

/** The plan with one buffer moved or one lifetime ignored. */
const corrupted = (plan: Plan, buffer: number, offset: number): Plan => {
  const buffers = plan.buffers.map((b) => (b.id === buffer ? { ...b, offset } : b));
  const bufferOf = new Map([...plan.bufferOf].map(([id, b]) => [id, buffers[b.id] ?? b]));
  return { ...plan, buffers, bufferOf };
};

describe("plans of random graphs", () => {
  const host = findTarget("host");
  it.skipIf(host.missingTool() !== null)("give the interpreter's bytes when compiled", async () => {
    const graphs = fc.sample(randomGraph, { numRuns: 60, seed: 42 });
    const compiled = graphs.map((graph, i) => {
      const nodes = lower(graph);
      return generateModel({
        name: `g${i}`,
        graph,
        nodes,
        plan: planLayers(graph, nodes),
        sha256: "0",
        commandLine: "test",
      });
    });
    const program = {
      files: new Map(compiled.flatMap((c) => [...c.files])),
      models: compiled.map((c) => ({ name: c.name, ...c.layout })),
    };
    const inputs = graphs.map((graph) => testInputs(graph, 1));
    const requests = inputs.map((data, model) => ({ model, inputs: data.map((d) => toBytes("int8", d)) }));
    const { runs } = await host.run(program, requests, {});
    const different = graphs.flatMap((graph, i) => {
      const [expected] = createSession({ main: graph, subgraphs: [] }).invoke(inputs[i] ?? []);
      const found = runs[i]?.outputs[0] ?? new Uint8Array(0);
      return expected && Buffer.compare(found, toBytes("int8", expected)) === 0
        ? []
        : [printGraph(graph, { constants: "omitted" })];
    });
    expect(different).toEqual([]);
  });

  it("let outputs grow over inputs, no closer than the rows allow", () => {
    let overlapping = 0;
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const nodes = lower(graph);
        const plan = planLayers(graph, nodes);
        plan.steps.forEach((step, i) => {
          const input = plan.bufferOf.get(nodes[i]?.node.inputs[0] as TensorId);
          const output = plan.bufferOf.get(nodes[i]?.node.outputs[0] as TensorId);
          if (!input || !output || input === output || step.elided) return;
          if (output.offset + output.bytes <= input.offset || input.offset + input.bytes <= output.offset) return;
          overlapping++;
          // A word closer, some row would be overwritten before it is read.
          const distance = overlapDistance(nodes[i] as LoweredNode, 0) ?? 0;
          if (distance <= 8 || input.offset - distance + 4 < 0) return;
          expect(() => verifyPlan(graph, nodes, corrupted(plan, output.id, input.offset - distance + 4))).toThrow(
            DiagnosticError,
          );
        });
      }),
      { numRuns: 300, seed: 11 },
    );
    expect(overlapping).toBeGreaterThan(50);
  });

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
