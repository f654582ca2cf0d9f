import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { planModel } from "../src/app/compile.js";
import { verify } from "../src/app/verification.js";
import { packageRoot } from "../src/base/assets.js";
import { seededRandom } from "../src/base/random.js";
import type { TensorId } from "../src/base/units.js";
import { openDataset } from "../src/data/open.js";
import { openPipeline } from "../src/data/pipeline.js";
import { attachFrontend, frontendGraph } from "../src/frontends/frontend.js";
import type { Recipe } from "../src/frontends/recipe.js";
import { createTransform, deviceInput, transformModule, withFrontend } from "../src/frontends/transform.js";
import { perTensor, tensorOf } from "../src/ir/graph.js";
import { type Graph, modelOf } from "../src/ops/index.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";

const digits = join(process.env["THIMBLE_DATA"] ?? join(packageRoot, "../shared/datasets"), "spoken-digits");
const noDigits = existsSync(digits) ? "" : ` (no ${digits})`;
const wand = join(digits, "../magic-wand");

const speech = (sampleRate: number) =>
  openDataset(digits, {
    pattern: "{label}_{group}_{index}",
    split: { kind: "index", test: [0, 4] },
    length: sampleRate,
    sampleRate,
    otherRates: "resample",
    align: "center",
    check: "names",
  });

const int8 = { dtype: "int8", quant: perTensor(1 / 128) } as const;
const shapeOf = (graph: Graph, id: TensorId | undefined) => tensorOf(graph, id as TensorId).shape;

describe("recipes", () => {
  const cases: readonly (readonly [recipe: Recipe, signal: readonly number[], shape: readonly number[]])[] = [
    [{ kind: "mfcc", sampleRate: 16000, windowMs: 40, hopMs: 20 }, [16000], [1, 49, 10, 1]],
    [{ kind: "log-mel", sampleRate: 8000, windowMs: 25, hopMs: 10, mels: 30 }, [8000], [1, 98, 30, 1]],
    [{ kind: "spectrogram", sampleRate: 8000, windowMs: 16, hopMs: 16 }, [1000], [1, 7, 65, 1]],
    [{ kind: "imu-features", fullScale: [2, 2, 2] }, [119, 3], [1, 1, 3, 11]],
    [{ kind: "imu-features", fullScale: [2, 2], window: 40, hop: 20, bands: 0 }, [119, 2], [1, 4, 2, 7]],
    [{ kind: "series", fullScale: [4, 2000] }, [119, 2], [1, 119, 1, 2]],
    [{ kind: "image", height: 12, width: 10 }, [24, 20, 3], [1, 12, 10, 3]],
    [{ kind: "image", height: 24, width: 20 }, [24, 20, 1], [1, 24, 20, 1]],
  ];
  it.each(cases)("%o", (recipe, signal, shape) => {
    for (const result of [int8, { dtype: "float32", quant: null } as const]) {
      const graph = frontendGraph(recipe, signal, result);
      expect(shapeOf(graph, graph.outputs[0])).toEqual(shape);
    }
  });

  it.each([
    [{ kind: "mfcc" }, [8000], "TH6003"],
    [{ kind: "bark", sampleRate: 8000 }, [8000], "TH6003"],
    [{ kind: "imu-features", fullScale: [1] }, [50, 2], "TH6003"],
    [{ kind: "log-mel", sampleRate: 8000, mels: 300 }, [8000], "TH2007"],
    [{ kind: "log-mel", sampleRate: 8000 }, [100], "TH2005"],
  ] as const)("%o is refused", (recipe, signal, code) => {
    expect(() => frontendGraph(recipe as Recipe, signal, int8)).toThrow(code);
  });
});

describe("the pipeline's features", () => {
  it.skipIf(noDigits !== "")(`are what the device computes, in any number of workers${noDigits}`, async () => {
    const dataset = speech(8000);
    const recipe: Recipe = { kind: "log-mel", sampleRate: 8000, mels: 32 };
    const graph = frontendGraph(recipe, [8000], int8);
    const session = createSession({ main: graph, subgraphs: [] });
    const transform = { module: transformModule, options: { recipe, result: int8 } };
    const toSignal = deviceInput(recipe, [8000]);
    for (const workers of [0, 2]) {
      const source = await openPipeline(dataset, { split: "test", batchSize: 20, transform, workers });
      expect(source.shape).toEqual([49, 32, 1]);
      for await (const { x, examples } of source.batches(0)) {
        examples.slice(0, 3).forEach((i, row) => {
          const [wanted] = session.invoke([toSignal(dataset.read(i).data)]);
          const found = x.slice(row * 49 * 32, (row + 1) * 49 * 32);
          expect(found).toEqual(Float32Array.from(wanted as Int8Array, (v) => v / 128));
          expect(new Set(found).size).toBeGreaterThan(20);
        });
        break;
      }
      await source.close();
    }
  });

  it.skipIf(!existsSync(wand))("belong to a data set that is given a front-end", async () => {
    const recipe: Recipe = { kind: "imu-features", fullScale: [4, 4, 4, 2000, 2000, 2000], window: 40, hop: 20 };
    const dataset = withFrontend(openDataset(wand, { window: 119 }), recipe);
    const source = await openPipeline(dataset, { split: "test", batchSize: 5 });
    expect(source.shape).toEqual([4, 6, 13]);
    for await (const { x, count } of source.batches(0)) {
      expect(x.length).toBe(5 * 312);
      expect(x.subarray(0, count * 312).every((v) => v >= -1 && v < 1.1)).toBe(true);
    }
    await source.close();
  });

  it("of a series as it is are what int16 holds of parts of full scale", () => {
    const { apply, shape } = createTransform({ recipe: { kind: "series", fullScale: [4, 2000] } }, [2, 2]);
    const out = new Float32Array(4);
    apply(Float32Array.of(1, -500, 4.5, 0.1), out);
    expect(shape).toEqual([2, 1, 2]);
    expect([...out]).toEqual([0.25, -0.25, 32767 / 32768, 2 / 32768]);
  });

  it("of a series are parts of full scale", () => {
    const { apply, shape } = createTransform(
      { recipe: { kind: "imu-features", fullScale: [4, 2000], similarities: false, bands: 0 } },
      [4, 2],
    );
    const out = new Float32Array(12);
    apply(Float32Array.of(1, -500, 1, 500, 1, -500, 1, 500), out);
    expect(shape).toEqual([1, 2, 6]);
    expect([...out].map((v) => Math.round(v * 1000) / 1000)).toEqual([
      0.25, 0, 0.25, 0.25, 0.25, 0, 0, 0.25, 0.25, -0.25, 0.25, 1,
    ]);
  });

  it.skipIf(!existsSync(wand))("of the magic wand tell its classes apart", async () => {
    const dataset = openDataset(wand, { window: 119, validation: 0 });
    const recipe: Recipe = { kind: "imu-features", fullScale: [4, 4, 4, 2000, 2000, 2000] };
    const transform = { module: transformModule, options: { recipe } };
    const read = async (split: "train" | "test") => {
      const source = await openPipeline(dataset, {
        split,
        batchSize: 200,
        transform,
        workers: 0,
        last: "fill",
        order: "index",
      });
      for await (const batch of source.batches(0)) return { ...batch, size: batch.x.length / 200 };
      throw new Error("no batch");
    };
    const [train, test] = [await read("train"), await read("test")];
    const row = (b: typeof train, i: number): Float32Array => b.x.subarray(i * b.size, (i + 1) * b.size);
    const distance = (a: Float32Array, b: Float32Array): number => a.reduce((s, v, i) => s + (v - (b[i] ?? 0)) ** 2, 0);
    // Five classes: chance is 5 of 25.
    const right = test.examples.filter((_, i) => {
      const nearest = train.examples
        .map((_, j) => j)
        .reduce((best, j) =>
          distance(row(test, i), row(train, j)) < distance(row(test, i), row(train, best)) ? j : best,
        );
      return train.y[nearest] === test.y[i];
    });
    expect(right.length).toBeGreaterThanOrEqual(16);
  });
});

const recipe: Recipe = { kind: "mfcc", sampleRate: 16000, windowMs: 40, hopMs: 20, coefficients: 10 };
const unusable = [modelsMissing() ?? "", noDigits].join("");

describe.skipIf(unusable !== "")(`a front-end before a network${unusable}`, () => {
  const kws = unusable === "" ? loadModel("kws") : null;
  const whole = kws === null ? null : { ...kws, main: attachFrontend(recipe, [16000], kws.main) };

  it("takes the network's input as its own output, and computes what both do apart", () => {
    if (kws === null || whole === null) return;
    const sound = speech(16000).read(11).data as Int16Array;
    const input = tensorOf(kws.main, kws.main.inputs[0] as TensorId);
    const features = createSession(modelOf(frontendGraph(recipe, [16000], input))).invoke([sound]);
    expect(createSession(whole).invoke([sound])).toEqual(createSession(kws).invoke(features));
    expect(whole.main.nodes.length).toBe(kws.main.nodes.length + 1);
  });

  it("streams with it: sound is pushed row by row, and the whole needs less RAM than the sound's features", () => {
    if (whole === null) return;
    const { plan } = planModel(whole, { feed: "pushed", optimize: "memory", isa: "dsp" });
    // The network alone, layer by layer, needs 16 KB and more; a second of sound is 32 KB.
    expect(plan.peakBytes).toBeLessThan(8000);
  });

  it("goes on from one frame to the next, where sound never ends", async () => {
    if (whole === null) return;
    const missing = findTarget("host").missingTool();
    if (missing !== null) return;
    const { targets } = await verify(whole, ["host"], { incremental: 2 });
    expect(targets.map((t) => t.identical)).toEqual([true]);
  });

  for (const target of ["host", "cortex-m4"]) {
    const missing = findTarget(target).missingTool();
    it.skipIf(missing !== null)(`gives the interpreter's bits on real speech: ${target}`, async () => {
      if (whole === null) return;
      const dataset = speech(16000);
      const inputs = [0, 1234, 2600].map((i) => [dataset.read(i).data as Int16Array]);
      for (const feed of ["resident", "pushed"] as const) {
        const { targets } = await verify(whole, [target], { inputs, feed, optimize: "memory" });
        expect(targets.map((t) => t.identical)).toEqual([true]);
      }
    });
  }
});

describe("without a long multiply", () => {
  const missing = findTarget("cortex-m0plus").missingTool();
  it.skipIf(missing !== null)("the transform has the same bits, of the loudest noise too", async () => {
    for (const recipe of [
      { kind: "mfcc", sampleRate: 8000, windowMs: 64 },
      { kind: "spectrogram", sampleRate: 8000, windowMs: 16 },
    ] as const) {
      const random = seededRandom(5);
      const graph = frontendGraph(recipe, [3200], { dtype: "int16", quant: perTensor(8 / 32768) });
      const length = shapeOf(graph, graph.inputs[0]).reduce((a, b) => a * b, 1);
      const loud = Int16Array.from({ length }, () => (random.unit() < 0.5 ? -32768 : 32767));
      const faint = Int16Array.from({ length }, () => random.integer(-2, 2));
      const { targets } = await verify(modelOf(graph), ["cortex-m0plus"], { inputs: [[loud], [faint]] });
      expect(targets.map((t) => t.identical)).toEqual([true]);
    }
  });
});

describe("a network whose input has another shape", () => {
  it("is given a reshaped one if there are as many elements, and refused otherwise", () => {
    const features = frontendGraph(recipe, [16000], int8);
    const identity = (shape: readonly number[]): Graph => {
      const [input, output] = [0, 1].map((id) => ({
        id: id as TensorId,
        name: `t${id}`,
        shape,
        ...int8,
        data: null,
        variable: false,
      }));
      if (input === undefined || output === undefined) throw new RangeError();
      return {
        name: "identity",
        tensors: new Map([input, output].map((t) => [t.id, t])),
        nodes: [{ op: "RELU", inputs: [input.id], outputs: [output.id], attrs: {}, origin: { index: 0, op: "RELU" } }],
        inputs: [input.id],
        outputs: [output.id],
        variables: [],
      };
    };
    const flat = attachFrontend(recipe, [16000], identity([1, 490]));
    expect(flat.nodes.map((n) => n.op)).toEqual(["MFCC", "RESHAPE", "RELU"]);
    const sound = Int16Array.from({ length: 16000 }, (_, i) => 9000 * Math.sin(i * i * 1e-4));
    const [wanted] = createSession(modelOf(features)).invoke([sound]);
    const [found] = createSession(modelOf(flat)).invoke([sound]);
    expect(found).toEqual((wanted as Int8Array).map((v) => Math.max(v, 0)));
    expect(() => attachFrontend(recipe, [16000], identity([1, 480]))).toThrow("TH6002");
  });
});
