import { describe, expect, it } from "vitest";
import { goldenOutputs, loadModel, modelsMissing, sharedModels } from "../bench/goldens.js";
import { verify } from "../src/app/api.js";
import { compileOptions } from "../src/app/cli/options.js";
import { planModel } from "../src/app/compile.js";
import { inspectReport } from "../src/app/report/inspect.js";
import { renderInspect } from "../src/app/report/terminal.js";
import { toBytes } from "../src/base/dtype.js";
import { tensorOf } from "../src/ir/graph.js";
import { type Graph, specOf } from "../src/ops/index.js";
import { removeDeadChannels, removedChannels } from "../src/passes/dead-channels.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { channelRanges, constantChannels } from "../src/passes/ranges.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";

describe("--dead-channels", () => {
  it("is remove unless told, and takes no other value", () => {
    expect(compileOptions({}).deadChannels).toBe("remove");
    expect(compileOptions({ deadChannels: "keep" }).deadChannels).toBe("keep");
    expect(() => compileOptions({ deadChannels: "some" })).toThrow("TH6003");
  });
});

const missing = modelsMissing();
const names = missing === null ? sharedModels() : [];

const kept = (name: string): Graph => runPipeline(loadModel(name), { deadChannels: "keep" });

/** Channels that never change of the outputs of operators with multiply-accumulates. */
function stuckInLayers(graph: Graph): number {
  const ranges = channelRanges(graph);
  const layers = graph.nodes.filter((n) => ["CONV_2D", "DEPTHWISE_CONV_2D"].includes(specOf(n).name));
  return layers
    .map((n) => ranges.get(n.outputs[0] as never))
    .reduce((sum, r) => sum + (r?.low.filter((low, c) => low === r.high[c]).length ?? 0), 0);
}

/** [constant channels, channels removed, MACs that remain, bytes of weights removed]. */
const figures: Readonly<Record<string, readonly [number, number, number, number]>> = {
  ad01: [0, 0, 264_192, 0],
  kws: [0, 0, 2_656_768, 0],
  vww96: [2135, 2094, 3_869_225, 180_957],
  resnet: [0, 0, 12_501_632, 0],
  strww: [0, 0, 826_368, 0],
  mcunet_vww1: [344, 352, 10_931_325, 27_302],
};

describe.skipIf(missing !== null)(`dead channels of real models${missing ? ` (${missing})` : ""}`, () => {
  it.each(Object.entries(figures))("%s: what is found and what goes", (name, [constant, channels, macs, bytes]) => {
    const before = kept(name);
    const after = runPipeline(loadModel(name), { check: "each" });
    const removed = removedChannels(before, after);
    const left = removedChannels(after, { ...after, nodes: [] }).macs;
    expect([constantChannels(before), removed.channels, left, removed.weightsBytes]).toEqual([
      constant,
      channels,
      macs,
      bytes,
    ]);
  });

  it("vww96: 1,667 channels of its convolutions are stuck", () => {
    expect(stuckInLayers(kept("vww96"))).toBe(1667);
  });

  it.each(names)("%s: outputs are TFLM's", (name) => {
    const model = loadModel(name);
    const graph = runPipeline(model);
    const session = createSession({ main: graph, subgraphs: model.subgraphs });
    const runs = name === "mcunetv2_large" ? [0] : [0, 1, 2];
    for (const run of runs) {
      session.reset();
      const found = session.invoke(testInputs(graph, run));
      const hex = found.map((data, i) => {
        const { dtype } = tensorOf(graph, graph.outputs[i] as never);
        return Buffer.from(toBytes(dtype, data)).toString("hex");
      });
      expect(hex).toEqual(goldenOutputs()[name]?.[run]);
    }
  });

  it("the pass takes less than half a second", () => {
    const graph = kept("mcunetv2_large");
    const start = performance.now();
    removeDeadChannels.run(graph, { subgraphs: [] });
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("the report names what went, and nothing where nothing did", () => {
    const report = inspectReport(planModel(loadModel("vww96")), []);
    expect(report.removed).toMatchObject({ channels: 2094, macs: 3_620_439, weightsBytes: 180_957 });
    expect(renderInspect(report)).toContain("2,094 channels that cannot change any output");
    expect(report.totals.macs).toBe(3_869_225);
    expect(renderInspect(inspectReport(planModel(loadModel("vww96"), { deadChannels: "keep" }), []))).not.toContain(
      "cannot change any output",
    );
  });

  for (const target of ["host", "cortex-m4"]) {
    const tool = findTarget(target).missingTool();
    for (const options of [{ plan: "layers" }, { optimize: "memory", feed: "pushed" }] as const) {
      it.skipIf(tool !== null).each(["vww96", "mcunet_vww1"])(
        `%s: the same on ${target} with ${JSON.stringify(options)}${tool ? ` (${tool.fix})` : ""}`,
        async (name) => {
          const { targets } = await verify(loadModel(name), ["interpreter", target], options);
          expect(targets.map((t) => t.mismatches)).toEqual([0, 0]);
        },
      );
    }
  }
});
