import { describe, expect, it } from "vitest";
import { fitWeights } from "../bench/fit.js";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { inspect } from "../src/app/api.js";
import { type CompileOptions, type PlannedModel, planModel } from "../src/app/compile.js";
import { typicalCore } from "../src/app/isa.js";
import { planCycles } from "../src/app/kernels.js";
import { seededRandom } from "../src/base/random.js";
import { calibration, measuredCores, nodeCycles } from "../src/cost/cycles.js";

describe("fitted weights", () => {
  it("are found again", () => {
    const random = seededRandom(3);
    const known = [2, 0, 30, 0.5];
    const equations = Array.from({ length: 40 }, () => {
      const factors = [random.unit() * 1000, random.unit() * 50, 1, random.unit() * 300];
      return { factors, value: factors.reduce((sum, f, i) => sum + f * (known[i] ?? 0), 0) };
    });
    for (const [i, w] of fitWeights(equations).entries()) expect(w).toBeCloseTo(known[i] ?? 0, 2);
  });

  it("are never negative", () => {
    const weights = fitWeights([
      { factors: [1, 1], value: 1 },
      { factors: [1, 3], value: 0.5 },
    ]);
    for (const w of weights) expect(w).toBeGreaterThanOrEqual(0);
  });
});

describe("the calibration", () => {
  it("is there for every core, with an error that brackets 1", () => {
    for (const core of measuredCores) {
      const { kernels, error } = calibration().cores[core];
      expect(Object.keys(kernels).length).toBeGreaterThan(100);
      expect(kernels[""]).toBeDefined();
      expect(error[0]).toBeLessThanOrEqual(1);
      expect(error[1]).toBeGreaterThanOrEqual(1);
    }
    expect(Object.keys(calibration().codeBytes).length).toBeGreaterThan(50);
  });
});

describe.skipIf(modelsMissing() !== null)("on the shared models", () => {
  const kws = () => loadModel("kws");

  it("faster kernels are estimated to be faster", () => {
    const cycles = (isa: "portable" | "dsp"): number =>
      planModel(kws(), { isa, plan: "layers" }).nodes.reduce((sum, n) => sum + nodeCycles(n, "cortex-m4"), 0);
    expect(cycles("dsp")).toBeLessThan(0.6 * cycles("portable"));
  });

  it("a board says how long an inference takes, and what it costs", () => {
    const [latency] = inspect(kws(), { boards: ["nucleo-l4r5zi"], floatEdges: "drop" }).latencies;
    // Published for this network on this board: 43 ms and 1431 uJ (another engine).
    expect(latency?.milliseconds.expected).toBeGreaterThan(20);
    expect(latency?.milliseconds.expected).toBeLessThan(60);
    expect(latency?.milliseconds.low).toBeLessThan(latency?.milliseconds.expected ?? 0);
    expect(latency?.microjoules?.expected).toBeGreaterThan(500);
    expect(inspect(kws(), { boards: ["esp32-devkitc"] }).latencies).toEqual([]);
  });

  const peakOf = (options: CompileOptions): number => planModel(loadModel("resnet"), options).plan.peakBytes;

  it("kernels give way to ones with less scratch where RAM matters", () => {
    const fast = peakOf({ isa: "dsp", optimize: "balanced" });
    const lean = peakOf({ isa: "dsp", optimize: "memory" });
    expect(lean).toBeLessThan(fast);
    // Nothing else fits: then at any cost.
    expect(peakOf({ isa: "dsp", optimize: "memory", feed: "pushed", budgetBytes: 14_000 })).toBeLessThanOrEqual(14_000);
  });

  it.each(
    (["dsp", "helium", "armv6m"] as const).flatMap((isa) =>
      ["strww", "kws", "resnet"].map((name) => [name, isa] as const),
    ),
  )("the least RAM of %s with %s kernels costs little, or saves much", { timeout: 30_000 }, (name, isa) => {
    const cyclesOf = ({ nodes, plan }: PlannedModel): number => planCycles(nodes, plan, typicalCore[isa]);
    const layers = planModel(loadModel(name), { isa, plan: "layers" });
    const least = planModel(loadModel(name), { isa, optimize: "memory" });
    expect(least.plan.peakBytes).toBeLessThanOrEqual(layers.plan.peakBytes);
    const isMuchLess = least.plan.peakBytes <= 0.75 * layers.plan.peakBytes;
    expect(isMuchLess || cyclesOf(least) <= 1.07 * cyclesOf(layers)).toBe(true);
  });

  it("blocks of fewer pixels cost more by estimate, as do pixels one by one", () => {
    const strww = planModel(loadModel("strww"), { isa: "armv6m", plan: "layers" });
    const [node] = strww.nodes.filter(({ kernel }) => kernel.name === "armv6m s8, by pixels");
    expect(node).toBeDefined();
    if (node === undefined) return;
    expect(nodeCycles(node, "cortex-m0plus", true)).toBeGreaterThan(1.5 * nodeCycles(node, "cortex-m0plus", false));
  });

  it("for size, kernels with little code are taken, and no step has one to itself", () => {
    const planned = planModel(kws(), { isa: "dsp", optimize: "size" });
    const flash = (options: CompileOptions): number =>
      new Set(planModel(kws(), options).nodes.map((n) => n.kernel.name)).size;
    expect(planned.plan.strategy).toBe("layers");
    expect(flash({ isa: "dsp", optimize: "size" })).toBeLessThanOrEqual(flash({ isa: "dsp", plan: "layers" }));
  });
});
