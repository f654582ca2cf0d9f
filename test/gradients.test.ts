import { describe, expect, it } from "vitest";
import { elementsOf } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import type { TensorId } from "../src/base/units.js";
import { type Tensor, type TensorType, tensorOf, viewOf } from "../src/ir/graph.js";
import { graphEmitter } from "../src/ops/emitter.js";
import { type AnyOp, type Graph, operators, specOf } from "../src/ops/index.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import type { Sample, SampleTensor } from "../src/ops/spec.js";
import { differentiate } from "../src/train/autodiff.js";
import { type Doubles, runInDouble } from "./doubles.js";

/*
 * Every operator's gradient against central differences of its own reference in double, on its float samples, for the loss
 * sum(output * r) with random r.
 */

const isFloat = (t: { readonly dtype: string } | null): boolean => t?.dtype === "float32";

/** Samples of float32; those of operators that only move elements are made so. */
function floatSamples(op: AnyOp): readonly Sample<object>[] {
  const plain = (t: SampleTensor | null): SampleTensor | null => {
    if (t === null || !t.quant) return t;
    const { quant: _, range: _range, ...rest } = t;
    return { ...rest, dtype: "float32" };
  };
  const all = op.traits.moves
    ? op.samples.map((s) => ({
        ...s,
        inputs: s.inputs.map(plain),
        outputs: s.outputs.map((o) => (o.quant ? { dtype: "float32" as const } : o)),
      }))
    : op.samples;
  return all.filter((s) => s.outputs.every(isFloat) && s.inputs.some(isFloat));
}

/** The sample's graph with the gradients of its float inputs appended: [input, gradient] for each. */
function differentiated({ graph }: SampleCase, weights: readonly Tensor[]) {
  const [node] = graph.nodes;
  if (!node) throw new Error("no node");
  const { gradient } = specOf(node);
  if (typeof gradient === "string") throw new Error(gradient);
  const e = graphEmitter(graph);
  e.append(graph.nodes, weights);
  const gradients = gradient(viewOf(graph, node) as never, weights, e);
  const wanted = node.inputs.flatMap((id, i) => {
    const found = gradients[i];
    return id !== null && found ? [{ input: id, gradient: found }] : [];
  });
  const whole: Graph = { ...graph, tensors: e.tensors(), nodes: e.nodes() };
  return { whole, wanted, count: gradients.length };
}

/** The difference is rounded to float32 in its reference, as in TFLite; the square is exact at any step. */
const stepOf = (op: string): number => (op === "SQUARED_DIFFERENCE" ? 0.125 : 1e-4);

function worstDifference(sample: SampleCase): { readonly worst: number; readonly compared: number } {
  const { graph, inputs } = sample;
  const random = seededRandom(7);
  // Outputs beside the first are statistics, which no loss depends on; those of parts are all of one kind.
  const outputs = graph.outputs.map((id) => tensorOf(graph, id));
  const statistics = graph.nodes[0]?.op === "BATCH_NORMALIZATION_TRAINING";
  const weights = outputs.map((t, i): Tensor => {
    const data = Float32Array.from({ length: elementsOf(t.shape) }, () => (statistics && i > 0 ? 0 : random.normal()));
    return { ...t, id: (5000 + i) as TensorId, name: "r", data };
  });
  const { whole, wanted, count } = differentiated(sample, weights);
  expect(count).toBe(graph.nodes[0]?.inputs.length);
  const given: Doubles = new Map();
  for (const t of graph.tensors.values())
    if (isFloat(t) && t.data !== null) given.set(t.id, Float64Array.from(t.data as Float32Array));
  graph.inputs.forEach((id, i) => {
    const data = inputs[i];
    if (data) given.set(id, data instanceof Float32Array ? Float64Array.from(data) : data);
  });
  const values = runInDouble(whole, given);
  const loss = (): number => {
    const found = runInDouble(graph, given);
    return weights.reduce((sum, w, o) => {
      const y = found.get(graph.outputs[o] as TensorId) as Float64Array;
      return sum + y.reduce((s, v, i) => s + v * ((w.data as Float32Array)[i] as number), 0);
    }, 0);
  };
  const step = stepOf(graph.nodes[0]?.op ?? "");
  let [worst, compared] = [0, 0];
  for (const { input, gradient } of wanted) {
    const x = given.get(input);
    if (!(x instanceof Float64Array)) continue;
    const found = (values.get(gradient.id) ?? gradient.data) as Float64Array;
    expect(gradient.shape).toEqual(tensorOf(graph, input).shape);
    for (let i = 0; i < x.length; i++) {
      const before = x[i] as number;
      x[i] = before + step;
      const above = loss();
      x[i] = before - step;
      const want = (above - loss()) / (2 * step);
      x[i] = before;
      worst = Math.max(worst, Math.abs(want - (found[i] as number)) / (1 + Math.abs(want)));
      compared++;
    }
  }
  return { worst, compared };
}

/** Rounding has no slope: its gradient is a convention, which the operator's own test holds it to. */
const straightThrough: readonly string[] = ["FAKE_QUANTIZE"];

describe("gradients against finite differences", () => {
  for (const op of operators) {
    if (typeof op.gradient === "string" || straightThrough.includes(op.name)) continue;
    it(op.name, () => {
      const samples = floatSamples(op);
      expect(samples.length).toBeGreaterThan(0);
      let total = 0;
      for (const sample of samples) {
        const { worst, compared } = worstDifference(sampleCase(op, sample));
        total += compared;
        expect(worst, sample.name).toBeLessThan(2e-5);
      }
      expect(total).toBeGreaterThan(0);
    });
  }

  it("operators without a gradient say why", () => {
    const reasons = operators.flatMap((op) => (typeof op.gradient === "string" ? [[op.name, op.gradient]] : []));
    expect(reasons.map((r) => r.join(": "))).toMatchInlineSnapshot(`
      [
        "ARG_MAX: integers",
        "ARG_MIN: integers",
        "ASSIGN_VARIABLE: state",
        "CALL_ONCE: state",
        "CAST: not differentiable",
        "CEIL: not differentiable",
        "DEQUANTIZE: integers",
        "EQUAL: integers",
        "FLOOR: not differentiable",
        "FLOOR_MOD: not needed yet",
        "FMOD: not needed yet",
        "GREATER: integers",
        "GREATER_EQUAL: integers",
        "GRU: unrolled",
        "IMU_FEATURES: integers",
        "LESS: integers",
        "LESS_EQUAL: integers",
        "LOG_MEL: integers",
        "LOGICAL_AND: integers",
        "LOGICAL_NOT: integers",
        "LOGICAL_OR: integers",
        "LOGICAL_XOR: integers",
        "LSTM: unrolled",
        "MFCC: integers",
        "NOT_EQUAL: integers",
        "QUANTIZE: integers",
        "READ_VARIABLE: state",
        "RNN: unrolled",
        "ROUND: not differentiable",
        "SCATTER: not needed yet",
        "SHAPE: integers",
        "SIGN: not differentiable",
        "SPECTROGRAM: integers",
        "SVDF: state",
        "TOPK_V2: not needed yet",
        "UNIDIRECTIONAL_SEQUENCE_LSTM: unrolled",
        "VAR_HANDLE: state",
        "IN_RANGE: not differentiable",
        "SCATTER_ADD: not differentiable",
        "CONV_2D_INPUT_GRADIENT: not differentiable",
        "CONV_2D_WEIGHTS_GRADIENT: not differentiable",
        "MAX_POOL_2D_GRADIENT: not differentiable",
        "AVERAGE_POOL_2D_GRADIENT: not differentiable",
        "BATCH_NORMALIZATION_GRADIENT: not differentiable",
      ]
    `);
  });
});

describe("gradients on the way to weights", () => {
  it("one that is missing is said, not left out", () => {
    const e = graphEmitter({ name: "selection", tensors: new Map() });
    const weights = e.input("weights", [4]);
    const computed = e.input("places", [2]);
    const places: TensorType = { shape: [2], dtype: "int32", quant: null };
    const [indices = null] = e.node("CAST", [computed], {}, [places]);
    const [picked = null] = e.node("GATHER", [weights, indices], { axis: 0, batchDims: 0 });
    const [sum] = e.node("SUM", [picked, e.constant([1], Int32Array.of(0))], { keepDims: false });
    if (!sum) throw new Error("no sum");
    expect(() => differentiate(e, sum, new Set([weights.id]))).toThrow(/TH2014[\s\S]*GATHER: no gradient for input 0/);
    expect(differentiate(e, sum, new Set()).size).toBe(0);
  });
});
