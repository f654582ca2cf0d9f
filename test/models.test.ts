import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goldenOps, goldenOutputs, layerCases, loadModel, modelsFolder, modelsMissing } from "../bench/goldens.js";
import { planModel } from "../src/app/compile.js";
import { type TensorData, toBytes } from "../src/base/dtype.js";
import { fnv1a } from "../src/base/random.js";
import { tensorOf } from "../src/ir/graph.js";
import { dropFloatEdges } from "../src/passes/edges.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";

// `npm run conformance` does all models on all targets; these are the quick ones, on the interpreter.
const quick = ["ad01", "kws", "resnet", "strww", "hello_world", "micro_speech", "mnist_lstm", "mcunet_vww1"];
const missing = modelsMissing();
const raw = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe.skipIf(missing !== null)(`real models${missing ? ` (${missing})` : ""}`, () => {
  for (const name of missing === null ? quick : []) {
    it(`${name}: outputs and operators are TFLM's, before and after every pass`, () => {
      const model = loadModel(name);
      for (const graph of [model.main, runPipeline(model, { check: "each" })]) {
        const session = createSession({ main: graph, subgraphs: model.subgraphs });
        for (const run of [0, 1, 2]) {
          session.reset();
          const found = session.invoke(testInputs(model.main, run));
          expect(found.map((d) => Buffer.from(raw(d)).toString("hex"))).toEqual(goldenOutputs()[name]?.[run]);
        }
      }
      const main = dropFloatEdges.run(model.main, { subgraphs: [] });
      const golden = goldenOps()[name]?.[0] ?? [];
      const seen: unknown[] = [];
      createSession({ main, subgraphs: [] }).invoke(testInputs(main, 0), (node, [out]) => {
        const dtype = tensorOf(main, node.outputs[0] as never).dtype;
        if (out) seen.push([node.op, out.byteLength, fnv1a(toBytes(dtype, out))]);
      });
      expect(seen).toEqual(golden);
    });
  }

  it("all 16x8 layer tests", () => {
    const cases = layerCases();
    expect(cases.length).toBe(105);
    const different = cases.filter((c) => {
      const [found] = createSession(c.model).invoke(c.inputs);
      return !found || Buffer.compare(raw(found), raw(c.expected)) !== 0;
    });
    expect(different.map((c) => c.name)).toEqual([]);
  });

  it("the arena is never larger than TFLM's", () => {
    const targets = JSON.parse(readFileSync(join(modelsFolder, "../targets.json"), "utf8")) as {
      models: Record<string, { tflm: Record<string, { arenaBytes: number }> }>;
    };
    for (const [name, { tflm }] of Object.entries(targets.models)) {
      const arena = tflm["cortex-m4"]?.arenaBytes ?? 0;
      // TFLM's figures for the models with float inputs were taken without their QUANTIZE and DEQUANTIZE.
      const { plan } = planModel(loadModel(name), { floatEdges: "drop" });
      expect(plan.peakBytes, name).toBeLessThanOrEqual(arena);
    }
  });
});
