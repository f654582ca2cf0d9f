import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { casesOf, onnxMissing, reordered, runCase } from "../bench/onnx-cases.js";
import { importOnnx } from "../src/app/files.js";
import { elementsOf, type TensorData } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import { importOnnx as readOnnx } from "../src/formats/onnx/import/import.js";
import { newestOpset, onnxOperators } from "../src/formats/onnx/import/table.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Model } from "../src/ops/index.js";
import { channelsLast } from "../src/passes/layout.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { createSession } from "../src/run/interpreter.js";
import { constant, modelFile, type NetworkFile, networks, node, quantizedNetwork } from "./onnx-models.js";

const randomInput = (shape: readonly number[], seed: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length: elementsOf(shape) }, () => 2 * random.unit() - 1);
};

/** What ONNX Runtime computes. */
async function byRuntime({ bytes, inputs }: NetworkFile): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], i) => [name, new ort.Tensor("float32", randomInput(shape, i), shape)]),
  );
  const results = await session.run(feeds);
  return results[session.outputNames[0] ?? ""]?.data as Float32Array;
}

/** What a model computes of the same inputs, whose channels may lie last; the result in the file's order. */
function byUs(model: Model, { bytes, inputs }: NetworkFile): Float32Array {
  const before = readOnnx(bytes, "before").main;
  const { main } = model;
  const data = Object.values(inputs).map((shape, i): TensorData => {
    const given = randomInput(shape, i);
    return main.inputs[i] === before.inputs[i] ? given : reordered(given, shape, "last");
  });
  const [result] = createSession(model).invoke(data) as readonly [Float32Array];
  const [found, wanted] = [main, before].map((g) => tensorOf(g, g.outputs[0] as never).shape);
  return found?.length === 4 && found.join() !== wanted?.join()
    ? (reordered(result, wanted ?? [], "first") as Float32Array)
    : result;
}

const furthest = (a: Float32Array, b: Float32Array): number => {
  expect(a.length).toBe(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0);
};

const optimized = (model: Model): Model => ({ ...model, main: runPipeline(model, { check: "each" }) });

describe("networks as PyTorch and Keras export them", () => {
  for (const network of networks) {
    it(`${network.name}: as ONNX Runtime computes it, and without needless transposes`, async () => {
      const expected = await byRuntime(network);
      const model = importOnnx(network.bytes, "net");
      expect(furthest(byUs(model, network), expected)).toBeLessThan(2e-5);
      const final = optimized(model);
      expect(furthest(byUs(final, network), expected)).toBeLessThan(2e-5);
      expect(final.main.nodes.filter((n) => n.op === "TRANSPOSE").length).toBe(network.transposes);
    });
  }

  it("a batch normalisation is part of the convolution before it", () => {
    const [network] = networks as readonly [NetworkFile];
    const ops = optimized(importOnnx(network.bytes, "net")).main.nodes.map((n) => n.op);
    expect(ops).toEqual([
      "SUB",
      "CONV_2D",
      "DEPTHWISE_CONV_2D",
      "CONV_2D",
      "ADD",
      "MAX_POOL_2D",
      "RESHAPE",
      "FULLY_CONNECTED",
      "SOFTMAX",
    ]);
  });
});

describe("functions that exporters write with several operators", () => {
  const number = (name: string, value: number) => constant(name, [], [value]);
  const hardSwish = [
    node("Add", ["x", "three"], ["a"]),
    node("Clip", ["a", "zero", "six"], ["c"]),
    node("Mul", ["x", "c"], ["m"]),
    node("Div", ["m", "six"], ["y"]),
  ];
  const bySigmoid = [node("HardSigmoid", ["x"], ["h"], { alpha: { float: 1 / 6 } }), node("Mul", ["h", "x"], ["y"])];
  const gelu = [
    node("Div", ["x", "root"], ["d"]),
    node("Erf", ["d"], ["e"]),
    node("Add", ["e", "one"], ["p"]),
    node("Mul", ["x", "p"], ["m"]),
    node("Mul", ["m", "half"], ["y"]),
  ];
  const constants = [
    ["zero", 0],
    ["half", 0.5],
    ["one", 1],
    ["root", Math.SQRT2],
    ["three", 3],
    ["six", 6],
  ] as const;
  it.each([
    ["HARD_SWISH", "by a clip", hardSwish],
    ["HARD_SWISH", "by a hard sigmoid", bySigmoid],
    ["GELU", "by the error function", gelu],
  ])("%s %s", async (op, _, nodes) => {
    const inputs = { x: [1, 2, 3, 4] };
    const bytes = modelFile(
      inputs,
      "y",
      nodes,
      constants.map(([name, value]) => number(name, value)),
    );
    const network: NetworkFile = { name: op, bytes, inputs, transposes: 0 };
    const model = optimized(importOnnx(bytes, "m"));
    expect(model.main.nodes.map((n) => n.op)).toEqual([op]);
    expect(furthest(byUs(model, network), await byRuntime(network))).toBeLessThan(1e-6);
  });

  it("of another number stay as they are", () => {
    const bytes = modelFile(
      { x: [1, 4] },
      "y",
      [...hardSwish.slice(0, 3), node("Div", ["m", "three"], ["y"])],
      constants.map(([name, value]) => number(name, value)),
    );
    expect(optimized(importOnnx(bytes, "m")).main.nodes.some((n) => n.op === "HARD_SWISH")).toBe(false);
  });
});

describe("quantized networks", () => {
  for (const type of ["int8", "uint8"] as const) {
    const network = quantizedNetwork(type);
    it(`${type}: all layers are integer ones, within one step of ONNX Runtime`, async () => {
      const expected = await byRuntime(network);
      const model = optimized(importOnnx(network.bytes, "net"));
      const ops = model.main.nodes.map((n) => n.op);
      expect(ops).toEqual([
        "QUANTIZE",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "ADD",
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "DEQUANTIZE",
      ]);
      const inner = model.main.nodes.slice(1, -1).flatMap((n) => n.outputs.map((id) => tensorOf(model.main, id).dtype));
      expect(new Set(inner)).toEqual(new Set(["int8"]));
      // Runtimes round differently; a step of the output is 0.1.
      expect(furthest(byUs(model, network), expected)).toBeLessThan(0.11);
    });
  }
});

describe.skipIf(onnxMissing() !== null)(`ONNX's own cases${onnxMissing() ? ` (${onnxMissing()})` : ""}`, () => {
  for (const kind of ["node", "pytorch-converted", "pytorch-operator"]) {
    for (const [order, prepare] of [
      ["as in the file", undefined],
      ["channels last", channelsLast],
    ] as const) {
      it(`${kind}, ${order}: every case that can be read passes`, () => {
        const verdicts = casesOf(kind).map((folder) => ({ folder, verdict: runCase(folder, prepare) }));
        const wrong = verdicts.flatMap(({ folder, verdict }) =>
          verdict.kind === "failed" ? [`${folder}: ${verdict.why}`] : [],
        );
        expect(wrong).toEqual([]);
        const passed = verdicts.filter(({ verdict }) => verdict.kind === "passed").length;
        const least = { node: 795, "pytorch-converted": 82, "pytorch-operator": 35 }[kind] ?? 0;
        expect(passed).toBeGreaterThanOrEqual(least);
      }, 120_000);
    }
  }
});

describe("the table of ONNX operators", () => {
  it("has more than 91 operators, each once", () => {
    const names = onnxOperators.map((row) => `${row.domain}.${row.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(91);
  });

  it("newest operator set is one that ONNX Runtime runs", async () => {
    const of = (opset: number) => modelFile({ x: [1, 2] }, "y", [node("Relu", ["x"], ["y"])], [], opset);
    await expect(ort.InferenceSession.create(of(newestOpset), { logSeverityLevel: 4 })).resolves.toBeDefined();
    await expect(ort.InferenceSession.create(of(newestOpset + 1), { logSeverityLevel: 4 })).rejects.toThrow();
    expect(importOnnx(of(newestOpset), "m").main.nodes.length).toBe(1);
    expect(() => importOnnx(of(newestOpset + 1), "m")).toThrow("TH1014");
  });
});

describe("what a file leaves open or gets wrong", () => {
  const open = modelFile({ x: ["batch", 3, "h", "w"] }, "y", [node("Relu", ["x"], ["y"])]);

  it("a batch is one, other sizes have to be stated", () => {
    expect(() => importOnnx(open, "m")).toThrow("--shape x=1,3,96,96");
    const { main } = importOnnx(open, "m", { shapes: { x: [1, 3, 4, 5] } });
    expect(tensorOf(main, main.inputs[0] as never).shape).toEqual([1, 3, 4, 5]);
  });

  it("an input that is always the same becomes a constant", () => {
    const bytes = modelFile({ x: [2, 3], s: [1] }, "y", [node("Mul", ["x", "s"], ["y"])]);
    expect(importOnnx(bytes, "m", { constants: { s: [3] } }).main.inputs.length).toBe(1);
  });

  it("every problem is reported, with its node", () => {
    const bytes = modelFile(
      { x: [1, 4] },
      "y",
      [
        node("NonZero", ["x"], ["a"]),
        node("Softmax", ["x"], ["b"], { axis: 7 }),
        node("Add", ["a", "b"], ["c"]),
        node("Reshape", ["x", "shape"], ["y"]),
      ],
      [constant("shape", [2], [3, 3], "int64")],
    );
    const message = (() => {
      try {
        importOnnx(bytes, "m");
        return "";
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    })();
    expect(message.match(/^TH\d+/gm)).toEqual(["TH2001", "TH2013", "TH2005"]);
    expect(message).toContain('node 0 NonZero "NonZero_a"');
    expect(message).toContain('node 1 Softmax "Softmax_b"');
    expect(message).toContain('node 3 Reshape "Reshape_y"');
  });

  it.each([
    ["an empty file", new Uint8Array(), "TH1017"],
    ["text", new TextEncoder().encode("not a model at all"), "TH1"],
    ["half a file", (networks[0] as NetworkFile).bytes.slice(0, 900), "TH1002"],
  ])("%s gives a diagnostic", (_, bytes, code) => {
    expect(() => importOnnx(bytes, "m")).toThrow(code);
  });
});
