import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, inspect, verify } from "../src/app/api.js";
import { renderHtml } from "../src/app/report/html.js";
import { renderInspect } from "../src/app/report/terminal.js";
import { renderBuild } from "../src/app/report/verify.js";
import { present } from "../src/base/assert.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { toBytes } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import { kib } from "../src/boards/cores.js";
import { stackReserveBytes } from "../src/boards/fit.js";
import { generateModel } from "../src/codegen/model.js";
import { projectKinds } from "../src/codegen/projects/index.js";
import { perTensor, tensorOf } from "../src/ir/graph.js";
import type { Graph, Model } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import type { Plan } from "../src/plan/plan.js";
import type { Region } from "../src/plan/regions.js";
import { planSpread } from "../src/plan/spread.js";
import { verifyPlan } from "../src/plan/verifier.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";
import { findTool, runProcess } from "../src/verify/toolchain.js";
import { addNode, addTensor, newDraft, toGraph, toModel } from "./graphs.js";
import { programOfAll, rowsPlan } from "./plan-checks.js";
import { randomGraph } from "./random-graph.js";

/** Regions of which no single one holds the plan, but which hold it together in many cases. */
function tightRegions(plan: Plan, seed: number): readonly Region[] {
  const random = seededRandom(seed);
  const largest = Math.max(...plan.buffers.map((b) => b.bytes));
  // Addresses of arenas take some bytes too.
  const main = Math.min(
    Math.max(largest + 24, random.integer(plan.peakBytes >> 1, plan.peakBytes)),
    plan.peakBytes - 4,
  );
  const others = Array.from({ length: random.integer(1, 3) }, () => random.integer(16, plan.peakBytes));
  return [...others, main].map((bytes, i) => ({ name: `R${i}`, bytes: Math.min(bytes, plan.peakBytes - 4) }));
}

interface Case {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly regions: readonly Region[];
}

/** Plans of a graph over random regions: its layers, its rows, and its rows with a pushed input. */
function spreadCases(graph: Graph, seed: number): readonly Case[] {
  const nodes = lower(graph);
  return (["layers", "rows", "pushed"] as const).flatMap((form) => {
    const [strategy, feed] = [
      form === "layers" ? "layers" : "rows",
      form === "pushed" ? "pushed" : "resident",
    ] as const;
    const regions = tightRegions(rowsPlan(graph, nodes, feed), seed);
    const plan = planSpread(graph, nodes, { regions, strategy, feed });
    return plan === null ? [] : [{ graph, plan, regions }];
  });
}

/** The plan with one buffer elsewhere. */
function moved(plan: Plan, buffer: number, region: number, offset: number): Plan {
  const buffers = plan.buffers.map((b) => (b.id === buffer ? { ...b, region, offset } : b));
  const bufferOf = new Map([...plan.bufferOf].map(([id, b]) => [id, buffers[b.id] ?? b]));
  return { ...plan, buffers, bufferOf };
}

describe("random graphs over random regions", () => {
  it("pass the replay and stay within every region; buffers moved onto others, or out of their arena, are found out", () => {
    let spread = 0;
    let found = 0;
    fc.assert(
      fc.property(randomGraph, fc.nat(1e6), (graph, seed) => {
        for (const { plan, regions } of spreadCases(graph, seed)) {
          for (const { name, bytes } of plan.regions)
            expect(bytes).toBeLessThanOrEqual(regions.find((r) => r.name === name)?.bytes ?? -1);
          expect(plan.peakBytes).toBe(plan.regions.reduce((sum, r) => sum + r.bytes, 0));
          expect(plan.arenaBytes).toBe(plan.regions[0]?.bytes);
          if (plan.regions.length === 1) continue;
          spread++;
          const nodes = lower(graph);
          const input = present(plan.bufferOf.get(present(graph.inputs[0], "input")), "its buffer");
          const outside = plan.regions[input.region]?.bytes ?? 0;
          expect(() => verifyPlan(graph, nodes, moved(plan, input.id, input.region, outside))).toThrow(DiagnosticError);
          const other = plan.buffers.find((b) => b.kind === "state");
          const room = (plan.regions[0]?.bytes ?? 0) >= input.bytes;
          if (!other || !room || plan.feed === "pushed") continue;
          found++;
          // On the addresses of the arenas.
          expect(() => verifyPlan(graph, nodes, moved(plan, input.id, 0, 0))).toThrow();
        }
      }),
      { numRuns: 80, seed: 21 },
    );
    expect(spread).toBeGreaterThan(60);
    expect(found).toBeGreaterThan(10);
  });

  const host = findTarget("host");
  it.skipIf(host.missingTool() !== null)("give the interpreter's bytes when compiled, and no stray byte", async () => {
    const cases = fc
      .sample(randomGraph, { numRuns: 60, seed: 77 })
      .flatMap((graph, i) => spreadCases(graph, i))
      .filter((c) => c.plan.regions.length > 1);
    expect(cases.length).toBeGreaterThan(60);
    const models = cases.map(({ graph, plan }, i) =>
      generateModel({ name: `g${i}`, graph, nodes: lower(graph), plan, sha256: "0", commandLine: "test" }),
    );
    const bytes = (graph: Graph, ids: Graph["inputs"], data: Parameters<typeof toBytes>[1], i: number): Uint8Array =>
      toBytes(tensorOf(graph, present(ids[i], "port")).dtype, data);
    const requests = cases.map(({ graph }, model) => ({
      model,
      inputs: testInputs(graph, 1).map((data, i) => bytes(graph, graph.inputs, data, i)),
    }));
    const { runs } = await host.run(programOfAll(models), requests, {});
    const wrong = cases.flatMap(({ graph }, i) => {
      const expected = createSession({ main: graph, subgraphs: [] }).invoke(testInputs(graph, 1));
      const same = expected.every(
        (data, o) =>
          Buffer.compare(runs[i]?.outputs[o] ?? new Uint8Array(0), bytes(graph, graph.outputs, data, o)) === 0,
      );
      return same && runs[i]?.canariesIntact ? [] : [i];
    });
    expect(wrong).toEqual([]);
  });
});

/** Two cameras, whose images must both be there: no reading by rows saves any of it. */
function twoCameras(): Model {
  const d = newDraft();
  const quant = perTensor(0.05, -3);
  const image = (name: string, size: number, channels: number) =>
    addTensor(d, name, [1, size, size, channels], { quant });
  const [left, right] = [image("left", 300, 2), image("right", 200, 1)];
  const pooled = (name: string, input: typeof left, side: number, channels: number) => {
    const output = addTensor(d, name, [1, 10, 10, channels], { quant });
    const attrs = { padding: "VALID", stride: [side, side], kernel: [side, side], activation: "NONE" };
    addNode(d, "MAX_POOL_2D", [input], [output], attrs);
    return output;
  };
  const both = addTensor(d, "both", [1, 10, 10, 3], { quant });
  const parts = [pooled("left pooled", left, 30, 2), pooled("right pooled", right, 20, 1)];
  addNode(d, "CONCATENATION", parts, [both], { axis: 3, activation: "NONE" });
  return { ...toModel(toGraph(d, [left, right], [both])), name: "two_cameras" };
}

/** Both images need 220,000 B; the kit has 192 KiB and 64 KiB. */
const kit = "frdm-k64f";

describe(`two cameras on ${kit}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "thimble-regions-"));
  let model: Model;
  beforeAll(() => {
    model = twoCameras();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("inspect says what lies where, and that it fits", () => {
    const report = inspect(model, { boards: [kit] });
    const [fit] = report.fits;
    expect(report.plan.regions.map((r) => r.name)).toEqual(["SRAM_U", "SRAM_L"]);
    expect(report.plan.regions.reduce((sum, r) => sum + r.bytes, 0)).toBe(report.totals.peakBytes);
    expect(report.totals.peakBytes).toBeGreaterThan(220_000);
    expect(report.plan.buffers.find((b) => b.tensor === "left")?.region).toBe(0);
    expect(report.plan.buffers.find((b) => b.tensor === "right")?.region).toBe(1);
    expect(fit).toMatchObject({ fits: true, obstacles: [], sram: { region: "SRAM_U + SRAM_L" } });
    expect(fit?.regions).toMatchObject([
      { name: "SRAM_U", kind: "internal", availableBytes: 192 * kib, hasStack: true },
      { name: "SRAM_L", kind: "internal", availableBytes: 64 * kib, hasStack: false },
    ]);
    expect(fit?.regions.reduce((sum, r) => sum + r.usedBytes, 0)).toBe(report.totals.peakBytes + stackReserveBytes);
    for (const text of [renderInspect(report), renderHtml(report)]) expect(text).toMatch(/SRAM_U[\s\S]*SRAM_L/);
  });

  it("a board that holds it in one memory gets one arena", () => {
    const report = inspect(model, { boards: ["nucleo-f767zi"] });
    expect(report.plan.regions).toEqual([{ name: "RAM", bytes: report.totals.peakBytes }]);
    expect(report.fits[0]?.regions).toMatchObject([{ name: "SRAM1-2", hasStack: true }]);
  });

  it("a board without the room is told so", () => {
    const [fit] = inspect(model, { boards: ["raspberry-pi-pico", "arduino-uno-r3"] }).fits.slice(1);
    expect(fit).toMatchObject({ fits: false, regions: [] });
  });

  const m4 = findTarget("cortex-m4");
  it.skipIf(m4.missingTool() !== null)("build verifies it on the emulated core and writes a project", async () => {
    const out = join(folder, "c");
    const report = await build(model, { board: kit, out });
    expect(report.fit.fits).toBe(true);
    expect(report.verification?.targets).toMatchObject([{ name: "cortex-m4", identical: true, canariesIntact: true }]);
    expect(renderBuild(report)).toContain("SRAM_L (internal)");
    const main = readFileSync(join(out, "example/main.c"), "utf8");
    expect(main).toContain("two_cameras_init(arena, arena_1);");
    expect(main).toContain("TWO_CAMERAS_ARENA_1_SECTION uint8_t arena_1[TWO_CAMERAS_ARENA_1_BYTES];");
    const header = readFileSync(join(out, "two_cameras.h"), "utf8");
    expect(header).toContain("#define TWO_CAMERAS_ARENA_COUNT 2");
    expect(header).toContain("void two_cameras_init(void *arena, void *arena_1);");
    if (findTool("cc") === null || findTool("make") === null) return;
    const section = '#define TWO_CAMERAS_ARENA_1_SECTION __attribute__((section(".psram")))\n';
    writeFileSync(join(out, "section.h"), section);
    const made = await runProcess("make", ["run", "CPPFLAGS=-include section.h -Werror"], { cwd: out });
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toContain("output 0:");
  });

  it("every kind of project names both arenas", async () => {
    for (const as of projectKinds) {
      const out = join(folder, as);
      const { files } = await build(model, { board: kit, out, as, verifyOn: [] });
      const texts = files.map((f) => readFileSync(join(out, f), "utf8"));
      expect(
        texts.some((t) => t.includes("two_cameras_init(arena, arena_1);")),
        as,
      ).toBe(true);
      expect(
        texts.some((t) => t.includes("#define TWO_CAMERAS_ARENA_1_SECTION")),
        as,
      ).toBe(true);
    }
  });

  it.each(["host", "wasm", "cortex-m55"])("%s: the interpreter's bytes, and no stray one", async (name) => {
    if (findTarget(name).missingTool() !== null) return;
    const regions = [
      { name: "DTCM", bytes: 50_000 },
      { name: "SRAM", bytes: 190_000 },
    ];
    const { targets } = await verify(model, [name], { regions, optimize: "memory" });
    expect(targets).toMatchObject([{ identical: true, canariesIntact: true }]);
  });
});
