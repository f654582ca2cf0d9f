import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { inspect, verify } from "../src/app/api.js";
import { generate, planModel } from "../src/app/compile.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { elementsOf, toBytes } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import { type GeneratedModel, generateModel } from "../src/codegen/model.js";
import { tensorOf } from "../src/ir/graph.js";
import { printGraph } from "../src/ir/print.js";
import type { Graph } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import { planIncremental } from "../src/plan/incremental.js";
import type { PlannedStage } from "../src/plan/plan.js";
import { createSession } from "../src/run/interpreter.js";
import type { RunRequest } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import { seriesGraph } from "./series-graph.js";

const host = findTarget("host");

/** A time series for an int8 graph: its rows, and what the requests are. */
interface Series {
  readonly graph: Graph;
  readonly data: Int8Array;
  readonly window: number;
  readonly hop: number;
  readonly hops: number;
}

function seriesOf(graph: Graph, hopRows: number, hops: number, seed: number): Series {
  const { shape } = tensorOf(graph, graph.inputs[0] as Graph["inputs"][number]);
  const window = elementsOf(shape);
  const hop = (hopRows * window) / (shape[1] ?? 1);
  const random = seededRandom(seed);
  const data = Int8Array.from({ length: window + hops * hop }, () => random.integer(-128, 127));
  return { graph, data, window, hop, hops };
}

/** A whole window, then one hop after the other. */
const requestsOf = ({ data, window, hop, hops }: Series, model: number): readonly RunRequest[] => [
  { model, inputs: [toBytes("int8", data.slice(0, window))] },
  ...Array.from({ length: hops }, (_, h) => ({
    model,
    keepState: true as const,
    inputs: [toBytes("int8", data.slice(window + h * hop, window + (h + 1) * hop))],
  })),
];

/** The outputs of every window, by the interpreter. */
function expectedOf({ graph, data, window, hop, hops }: Series): readonly string[] {
  const session = createSession({ main: graph, subgraphs: [] });
  return Array.from({ length: hops + 1 }, (_, h) =>
    session
      .invoke([data.slice(h * hop, h * hop + window)])
      .map((out) => Buffer.from(toBytes("int8", out)).toString("hex"))
      .join(),
  );
}

const hex = (outputs: readonly Uint8Array[]): string => outputs.map((o) => Buffer.from(o).toString("hex")).join();

const modelOf = ({ name, layout }: GeneratedModel) => ({ name, ...layout });

describe("random networks over time", () => {
  const hops = 12;

  it.skipIf(host.missingTool() !== null)("give the interpreter's outputs after every hop", async () => {
    const samples = fc.sample(fc.tuple(seriesGraph, fc.integer({ min: 1, max: 12 })), { numRuns: 250, seed: 5 });
    const refused: string[] = [];
    const compiled = samples.flatMap(([graph, hop], i) => {
      const nodes = lower(graph, { sharing: "separate" });
      try {
        const plan = planIncremental(graph, nodes, hop);
        const generated = generateModel({ name: `g${i}`, graph, nodes, plan, sha256: "0", commandLine: "test" });
        return [{ generated, plan, series: seriesOf(graph, hop, hops, i) }];
      } catch (error) {
        if (!(error instanceof DiagnosticError)) throw error;
        refused.push(...error.diagnostics.map((d) => d.code));
        return [];
      }
    });
    expect([...new Set(refused)].sort()).toEqual(["TH3004", "TH3005"]);
    const chosen = compiled.slice(0, 60);
    expect(chosen.length).toBe(60);
    const stages = chosen.flatMap((c) => c.plan.incremental?.stages ?? []);
    const count = (is: (s: PlannedStage) => boolean): number => stages.filter(is).length;
    expect(count((s) => s.kind === "keep")).toBeGreaterThan(15);
    expect(count((s) => s.kind === "rows" && s.hop < s.rows)).toBeGreaterThan(60);
    expect(count((s) => s.windows.some((w) => w !== null && w.first(1) - w.first(0) > 1))).toBeGreaterThan(15);
    const program = {
      files: new Map(chosen.flatMap((c) => [...c.generated.files])),
      models: chosen.map((c) => modelOf(c.generated)),
    };
    const { runs } = await host.run(
      program,
      chosen.flatMap((c, model) => requestsOf(c.series, model)),
      {},
    );
    const wrong = chosen.flatMap(({ series }, i) => {
      const found = runs.slice(i * (hops + 1), (i + 1) * (hops + 1));
      const same = found.map((r) => hex(r.outputs)).join("\n") === expectedOf(series).join("\n");
      return same && found.every((r) => r.canariesIntact) ? [] : [printGraph(series.graph, { constants: "omitted" })];
    });
    expect(wrong).toEqual([]);
  });
});

const missing = modelsMissing();

describe.skipIf(missing !== null)(`strww by hops${missing ? `: ${missing}` : ""}`, () => {
  const windowMacs = 826_368;

  it.each([
    [1, 46_040],
    [2, 85_968],
    [3, 125_896],
    [5, 205_752],
  ])("a hop of %i rows does %i multiply-accumulates", (hop, macs) => {
    const report = inspect(loadModel("strww"), { incremental: hop });
    expect(report.plan.incremental).toMatchObject({ hopRows: hop, windowRows: 30, hopMacs: macs, windowMacs });
    expect(report.totals.peakBytes).toBeLessThan(4400);
  });

  it.each(["host", "cortex-m4"])("gives the interpreter's outputs after every hop on %s", async (name) => {
    const target = findTarget(name);
    if (target.missingTool() !== null) return;
    const model = loadModel("strww");
    for (const hop of name === "host" ? [1, 2, 3, 5, 7, 15, 16, 27] : [1, 2, 3, 5, 16]) {
      const planned = planModel(model, { incremental: hop });
      const generated = generate(planned);
      const series = seriesOf(planned.graph, hop, Math.ceil(30 / hop) + 7, hop);
      const program = { files: generated.files, models: [modelOf(generated)] };
      const { runs } = await target.run(program, requestsOf(series, 0), {});
      expect(runs.map((r) => hex(r.outputs))).toEqual(expectedOf(series));
      expect(runs.every((r) => r.canariesIntact)).toBe(true);
    }
  });

  it("verifies, and says what a hop costs", async () => {
    const m4 = findTarget("cortex-m4");
    const targets = ["interpreter", ...(m4.missingTool() === null ? ["cortex-m4"] : [])];
    const report = await verify(loadModel("strww"), targets, { incremental: 1 });
    expect(report.targets.every((t) => t.identical)).toBe(true);
    const emulated = report.targets.find((t) => t.name === "cortex-m4");
    if (emulated) expect(emulated.hopInstructions).toBeLessThan((emulated.instructions ?? 0) / 10);
  });
});
