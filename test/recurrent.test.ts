import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { torchVersion } from "../bench/torch.js";
import { checkFormat, fileOf } from "../src/app/model-file.js";
import { elementsOf } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import type { TensorId } from "../src/base/units.js";
import { importOnnx } from "../src/formats/onnx/import/import.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { type Tensor, tensorOf } from "../src/ir/graph.js";
import { add, indices, mul, reshape } from "../src/ops/common/gradients.js";
import { graphEmitter } from "../src/ops/emitter.js";
import { type AnyOp, findOp, type Graph, operators } from "../src/ops/index.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import type { Sample } from "../src/ops/spec.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { quantizeModel } from "../src/quantize/quantize.js";
import { createSession } from "../src/run/interpreter.js";
import { differentiate } from "../src/train/autodiff.js";
import { rebatch } from "../src/train/rebatch.js";
import { trainStep } from "../src/train/step.js";
import { unrollSequences } from "../src/train/unroll.js";
import { type Doubles, runInDouble } from "./doubles.js";
import { constant, modelFile, node, randomConstant } from "./onnx-models.js";

/*
 * Operators that carry a state along a sequence: unrolled, they compute what they are defined to, and their gradients
 * are those of the definition.
 */

const recurrent = operators.filter((op) => op.traits.recurrence !== "none");
const floatSamples = (op: AnyOp) => op.samples.filter((s) => s.outputs.every((o) => o.dtype === "float32"));
const cases = recurrent.flatMap((op) => floatSamples(op).map((s) => [`${op.name}, ${s.name}`, op, s] as const));

/** The unrolled graph with the derivative of sum(output * r) by every float tensor that no node computes. */
function differentiated(graph: Graph, given: Doubles) {
  const unrolled = unrollSequences(graph);
  const random = seededRandom(7);
  const e = graphEmitter(unrolled);
  e.append(unrolled.nodes, []);
  const weights = new Map<TensorId, Float32Array>();
  const parts = graph.outputs.map((id): Tensor => {
    const t = tensorOf(unrolled, id);
    const r = Float32Array.from({ length: elementsOf(t.shape) }, () => random.normal());
    weights.set(id, r);
    const product = mul(e, reshape(e, t, [r.length]), e.constant([r.length], r));
    return e.node("SUM", [product, indices(e, [0])], { keepDims: false })[0] as Tensor;
  });
  const loss = parts.reduce((a, b) => add(e, a, b));
  const gradients = differentiate(e, loss, new Set(given.keys()));
  const whole: Graph = { ...unrolled, tensors: e.tensors(), nodes: e.nodes() };
  return { values: runInDouble(whole, given), gradients, weights };
}

/** Values in double of all float tensors that are given: inputs and constants. */
function givenOf({ graph, inputs }: SampleCase): Doubles {
  const given: Doubles = new Map();
  for (const t of graph.tensors.values())
    if (t.dtype === "float32" && t.data !== null) given.set(t.id, Float64Array.from(t.data as Float32Array));
  graph.inputs.forEach((id, i) => {
    given.set(id, Float64Array.from(inputs[i] as Float32Array));
  });
  return given;
}

describe("operators of sequences, unrolled", () => {
  it("are these", () => {
    expect(recurrent.map((op) => op.name)).toEqual(["GRU", "LSTM", "RNN", "UNIDIRECTIONAL_SEQUENCE_LSTM"]);
    expect(recurrent.map((op) => op.gradient)).toEqual(new Array(4).fill("unrolled"));
  });

  it.each(cases)("%s: compute the same", (_, op, sample) => {
    const { graph, inputs } = sampleCase(op, sample);
    const want = createSession({ main: graph, subgraphs: [] }).invoke(inputs);
    const found = createSession({ main: unrollSequences(graph), subgraphs: [] }).invoke(inputs);
    want.forEach((data, o) => {
      data.forEach((v, i) => {
        expect(found[o]?.[i]).toBeCloseTo(Number(v), 5);
      });
    });
  });

  // Its reference keeps its state in the variables' own storage, which is float32: the samples above stand for it.
  const definitions = cases.filter(([, op]) => op.name !== "UNIDIRECTIONAL_SEQUENCE_LSTM");

  it.each(definitions)("%s: gradients are the definition's finite differences", (_, op, sample) => {
    const built = sampleCase(op, sample);
    const given = givenOf(built);
    const { values, gradients, weights } = differentiated(built.graph, given);
    const loss = (): number => {
      const found = runInDouble(built.graph, given);
      return [...weights].reduce((sum, [id, r]) => {
        const y = found.get(id) as Float64Array;
        return sum + y.reduce((s, v, i) => s + v * (r[i] as number), 0);
      }, 0);
    };
    let compared = 0;
    for (const [id, x] of given) {
      if (!(x instanceof Float64Array)) continue;
      const gradient = gradients.get(id);
      expect(gradient, tensorOf(built.graph, id).name).toBeDefined();
      const found = values.get(gradient?.id as TensorId) as Float64Array;
      for (let i = 0; i < x.length; i++, compared++) {
        const [before, h] = [x[i] as number, 1e-4];
        x[i] = before + h;
        const above = loss();
        x[i] = before - h;
        const want = (above - loss()) / (2 * h);
        x[i] = before;
        expect(Math.abs(want - (found[i] as number)) / (1 + Math.abs(want))).toBeLessThan(2e-5);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });
});

/** PyTorch's layer of the sample's sizes: gates in its own order, both biases as ours. */
const script = `
import json, sys, torch
c = json.load(sys.stdin)
torch.set_default_dtype(torch.float64)
t = lambda v, *shape: torch.tensor(v).reshape(shape)
layer = getattr(torch.nn, c["kind"])(c["inputs"], c["units"], batch_first=True)
x = t(c["x"], c["batch"], c["steps"], c["inputs"]).requires_grad_()
units = c["units"]
gates = lambda v: torch.cat([v[g * units:(g + 1) * units] for g in c["order"]])
with torch.no_grad():
    for name, v in c["weights"].items():
        p = getattr(layer, name)
        p.copy_(gates(t(v, *p.shape)))
y = layer(x)[0]
(y * t(c["r"], *y.shape)).sum().backward()
back = lambda v: torch.cat([v[c["order"].index(g) * units:(c["order"].index(g) + 1) * units] for g in range(len(c["order"]))])
names = list(c["weights"])
out = {name: back(getattr(layer, name).grad).flatten().tolist() for name in names}
json.dump({"y": y.flatten().tolist(), "x": x.grad.flatten().tolist(), **out}, sys.stdout)
`;

const version = torchVersion();
const python = process.env["THIMBLE_PYTHON"] ?? "/usr/bin/python3";

/** Of PyTorch's gate i, the place among ours. */
const orders = { GRU: [1, 0, 2], LSTM: [0, 2, 3, 1], RNN: [0] } as const;

describe.skipIf(version === null)(`recurrent layers beside PyTorch ${version ?? "(apt install python3-torch)"}`, () => {
  it.each(["GRU", "LSTM", "RNN"] as const)("%s: outputs and gradients", (kind) => {
    const op = findOp(kind) as AnyOp;
    const [batch, steps, inputs, units] = [3, 6, 4, 5];
    const rows = orders[kind].length * units;
    const tensor = (shape: readonly number[]) => ({ shape, dtype: "float32", constant: "random" }) as const;
    const { data: _, ...attrs } = { ...(op.samples[0] as Sample<object>).attrs, data: 0 };
    const sample: Sample<object> = {
      name: kind,
      attrs: { ...attrs, timeMajor: false, returns: "sequence", linearBeforeReset: true },
      inputs: [
        { shape: [batch, steps, inputs], dtype: "float32" },
        tensor([rows, inputs]),
        tensor([rows, units]),
        tensor([rows]),
        tensor([rows]),
      ],
      outputs: [{ dtype: "float32" }],
    };
    const built = sampleCase(op, sample);
    const given = givenOf(built);
    const { values, gradients, weights } = differentiated(built.graph, given);
    const [node] = built.graph.nodes;
    const ids = node?.inputs as readonly TensorId[];
    const names = ["x", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
    const list = (i: number): readonly number[] => Array.from(given.get(ids[i] as TensorId) as Float64Array);
    const input = {
      ...{ kind, batch, steps, inputs, units, order: orders[kind] },
      x: list(0),
      weights: Object.fromEntries(names.slice(1).map((name, i) => [name, list(i + 1)])),
      r: Array.from(weights.get(built.graph.outputs[0] as TensorId) ?? []),
    };
    const run = spawnSync(python, ["-c", script], { input: JSON.stringify(input), encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    const want = JSON.parse(run.stdout) as Record<string, readonly number[]>;
    const same = (found: ArrayLike<number>, name: string): void => {
      expect(found.length).toBe(want[name]?.length);
      want[name]?.forEach((v, i) => {
        expect(found[i], `${name}[${i}]`).toBeCloseTo(v, 9);
      });
    };
    same(values.get(built.graph.outputs[0] as TensorId) as Float64Array, "y");
    names.forEach((name, i) => {
      same(values.get(gradients.get(ids[i] as TensorId)?.id as TensorId) as Float64Array, name);
    });
  });
});

describe("a step of training", () => {
  it.each(recurrent)("$name: all weights are trained, in batches, each once however many steps read it", (op) => {
    const [sample] = floatSamples(op);
    const inputs = (sample?.inputs ?? []).map((t, i) =>
      t && (i === 0 || t.variable) ? { ...t, shape: [1, t.shape[1] ?? 1, ...t.shape.slice(2)] } : t,
    );
    const bias = { dtype: "float32", constant: "random", shape: [inputs[1]?.shape[0] ?? 1] } as const;
    const attrs = { ...sample?.attrs, timeMajor: false, cellClip: 0, returns: "sequence" };
    const isTflite = op.name === "UNIDIRECTIONAL_SEQUENCE_LSTM";
    const { graph } = sampleCase(op, {
      name: op.name,
      attrs,
      inputs: isTflite ? inputs : [...inputs.slice(0, 3), bias, bias],
      outputs: [{ dtype: "float32" }],
    });
    const step = trainStep(graph, {
      batch: 2,
      loss: { kind: "mse" },
      optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 },
    });
    expect(step.inputShape[0]).toBe(2);
    expect(step.parameters.weights.length).toBe(isTflite ? 12 : 4);
  });

  it("refuses to make a sequence longer where the batch should grow", () => {
    const op = findOp("GRU") as AnyOp;
    const [sample] = floatSamples(op);
    const { graph } = sampleCase(op, { ...(sample as Sample<object>), name: "time first" });
    const options = { loss: { kind: "mse" }, optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 } } as const;
    expect(() => trainStep(graph, { ...options, batch: 3 })).toThrow(/TH2015[\s\S]*12 steps[\s\S]*4, as without/);
  });
});

/**
 * What PyTorch writes of a layer with batch_first: the batch turned over, a state of zeros, all outputs. Programs take the
 * last state from where the layer gives it, or from the end of the sequence.
 */
function torchFile(layer: "LSTM" | "GRU", from: "state" | "sequence"): Uint8Array {
  const [gates, steps, inputs, units] = [layer === "LSTM" ? 4 : 3, 12, 6, 9];
  const zeros = constant("zeros", [1, 1, units], new Array<number>(units).fill(0));
  const nodes = [
    node("Transpose", ["x"], ["t"], { perm: [1, 0, 2] }),
    node(
      layer,
      ["t", "w", "rec", "b", "", "zeros", ...(layer === "LSTM" ? ["zeros"] : [])],
      ["seq", "h", ...(layer === "LSTM" ? ["c"] : [])],
      { hidden_size: units, ...(layer === "GRU" ? { linear_before_reset: 1 } : {}) },
    ),
    ...(from === "state"
      ? [node("Squeeze", ["h", "axis"], ["last"])]
      : [
          node("Squeeze", ["seq", "one"], ["s"]),
          node("Transpose", ["s"], ["st"], { perm: [1, 0, 2] }),
          node("Gather", ["st", "end"], ["last"], { axis: 1 }),
        ]),
    node("Gemm", ["last", "wd"], ["y"], { transB: 1 }),
  ];
  const constants = [
    zeros,
    constant("axis", [1], [0], "int64"),
    constant("one", [1], [1], "int64"),
    constant("end", [], [-1], "int64"),
    randomConstant("w", [1, gates * units, inputs]),
    randomConstant("rec", [1, gates * units, units]),
    randomConstant("b", [1, 2 * gates * units]),
    randomConstant("wd", [3, units]),
  ];
  return modelFile({ x: [1, steps, inputs] }, "y", nodes, constants);
}

describe.each([
  ["GRU", "state"],
  ["GRU", "sequence"],
  ["LSTM", "state"],
  ["LSTM", "sequence"],
] as const)("a %s of a file, read from its %s", (layer, from) => {
  const model = importOnnx(torchFile(layer, from), layer);
  const graph = runPipeline(model, { check: "each" });
  const random = seededRandom(3);
  const samples = Array.from({ length: 12 }, (): readonly [Float32Array] => [
    Float32Array.from({ length: 72 }, () => random.normal()),
  ]);
  const outputs = (of: Graph) => {
    const session = createSession({ main: of, subgraphs: [] });
    return samples.map((inputs) => session.invoke(inputs)[0] as Float32Array);
  };

  it("gives what is read, from the sequence as it lies", () => {
    const found = graph.nodes.find((n) => n.op === layer);
    expect(found?.attrs).toMatchObject({ returns: "hidden", timeMajor: false });
    expect(found?.inputs[0]).toBe(graph.inputs[0]);
    expect(graph.nodes.map((n) => n.op)).toEqual([layer, "FULLY_CONNECTED"]);
    outputs(graph).forEach((y, s) => {
      y.forEach((v, i) => {
        expect(v).toBeCloseTo((outputs(model.main)[s] as Float32Array)[i] as number, 5);
      });
    });
  });

  it("trains as the file has it, and as the passes leave it", () => {
    const options = { loss: { kind: "mse" }, optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 } } as const;
    for (const main of [model.main, graph]) {
      const step = trainStep(main, { ...options, batch: 3 });
      expect(step.inputShape).toEqual([3, 12, 6]);
      expect(step.targetShape).toEqual([3, 3]);
      const three = samples.slice(0, 3).flatMap(([x]) => Array.from(x));
      const batched = createSession({ main: rebatch(main, 3), subgraphs: [] }).invoke([Float32Array.from(three)])[0];
      const single = outputs(main).slice(0, 3);
      single
        .flatMap((y) => Array.from(y))
        .forEach((v, i) => {
          expect(batched?.[i]).toBeCloseTo(v, 5);
        });
    }
  });

  it("computes in int8, near the float network", () => {
    const { graph: integer, floating } = quantizeModel(model, samples);
    expect(floating).toEqual([]);
    const [want, found] = [outputs(graph), outputs(integer)];
    let [signal, noise] = [0, 0];
    want.forEach((y, s) => {
      y.forEach((v, i) => {
        signal += v * v;
        noise += (v - ((found[s] as Float32Array)[i] as number)) ** 2;
      });
    });
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(30);
  });

  it("is no TensorFlow Lite model, and says so", () => {
    expect(() => exportTflite({ main: graph, subgraphs: [] })).toThrow(new RegExp(`TH1012[\\s\\S]*${layer}`));
    expect(() => checkFormat(graph, "net.tflite")).toThrow(/TH1012[\s\S]*\.thimble/);
    const { format, file, model: read } = fileOf(quantizeModel(model, samples).graph, layer);
    expect(format).toBe("thimble");
    expect(fileOf(read.main, layer).file).toEqual(file);
  });
});
