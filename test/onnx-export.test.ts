import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../src/base/dtype.js";
import { exportable, exportOnnx } from "../src/formats/onnx/export/export.js";
import { tensorOf } from "../src/ir/graph.js";
import { type AnyOp, type Graph, type OpName, operators } from "../src/ops/index.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import type { Sample, SampleTensor } from "../src/ops/spec.js";
import { createSession } from "../src/run/interpreter.js";

/*
 * Every operator that can be written as ONNX: ONNX Runtime computes what the interpreter does.
 */

const moved = (t: SampleTensor | null): SampleTensor | null => {
  if (t === null || !t.quant) return t;
  const { quant: _, range: _range, ...rest } = t;
  return { ...rest, dtype: "float32" };
};

/** ONNX has no limit of an LSTM's cell. */
const withoutClip = (s: Sample<object>): Sample<object> =>
  "cellClip" in s.attrs ? { ...s, attrs: { ...s.attrs, cellClip: 0 } } : s;

/** Samples without quantization; those of operators that only move elements are made so. */
function plainSamples(op: AnyOp): readonly Sample<object>[] {
  const all = op.traits.moves
    ? op.samples.map((s) => ({
        ...s,
        inputs: s.inputs.map(moved),
        outputs: s.outputs.map((o) => (o.quant ? { dtype: "float32" as const } : o)),
      }))
    : op.samples;
  return all.map(withoutClip).filter((s) => [...s.inputs, ...s.outputs].every((t) => !t?.quant));
}

async function runOnnx(graph: Graph, inputs: readonly TensorData[]): Promise<readonly TensorData[]> {
  const bytes = exportOnnx(graph);
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "basic", logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    graph.inputs.map((id, i) => {
      const t = tensorOf(graph, id);
      return [
        session.inputNames[i] ?? "",
        new OrtTensor(t.dtype as "float32", inputs[i] as Float32Array, [...t.shape]),
      ];
    }),
  );
  const results = await session.run(feeds);
  return session.outputNames.map((name) => results[name]?.data as TensorData);
}

/** The largest difference, relative to the largest value. */
function difference(want: TensorData, found: TensorData): number {
  expect(found.length).toBe(want.length);
  let [worst, largest] = [0, 1e-6];
  want.forEach((x, i) => {
    worst = Math.max(worst, Math.abs(Number(x) - Number(found[i])));
    largest = Math.max(largest, Math.abs(Number(x)));
  });
  return worst / largest;
}

/** Samples whose meaning ONNX has no form for. */
const skipped: Readonly<Partial<Record<OpName, readonly string[]>>> = {
  ARG_MAX: ["int16"],
  // ONNX Runtime refuses to divide whole numbers by zero, and has no choice between bools.
  DIV: ["int32"],
  SELECT_V2: ["bool, six dimensions"],
  ARG_MIN: ["int16"],
  CAST: [
    "float32 to int8, edges",
    "float32 to uint8, edges",
    "float32 to int16, edges",
    "float32 to int32, edges",
    "float32 to int64, edges",
  ],
};

/** int8 samples that say nothing here: of integers without scales, and of roots of negative numbers. */
const skippedQuantized: Readonly<Partial<Record<OpName, "*">>> = { CAST: "*", RSQRT: "*" };

/** Steps that fixed-point functions may be from the true ones, where it is more than one. */
const steps: Readonly<Partial<Record<OpName, number>>> = {};

const shapeOf = ({ graph }: SampleCase): string => graph.inputs.map((id) => tensorOf(graph, id).dtype).join();

describe("operators as ONNX", () => {
  for (const op of operators) {
    if (!exportable(op.name) || op.name === "QUANTIZE") continue;
    it(op.name, async () => {
      let compared = 0;
      for (const sample of plainSamples(op)) {
        if (skipped[op.name]?.includes(sample.name)) continue;
        const built = sampleCase(op, sample);
        const want = createSession({ main: built.graph, subgraphs: [] }).invoke(built.inputs);
        const found = await runOnnx(built.graph, built.inputs).catch((error: Error) => {
          throw new Error(`${sample.name} (${shapeOf(built)}): ${error.message}`);
        });
        want.forEach((data, i) => {
          expect(difference(data, found[i] as TensorData), `${sample.name}, output ${i}`).toBeLessThan(1e-5);
        });
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    });
  }

  for (const op of operators) {
    const samples = op.samples.filter((s) => {
      const all = [...s.inputs, ...s.outputs];
      return (
        all.some((t) => t?.dtype === "int8" && t.quant) &&
        all.every((t) => !t || !["int16", "int64", "bool"].includes(t.dtype))
      );
    });
    const skip = skippedQuantized[op.name];
    const kept = samples.filter((s) => skip !== "*" && !s.inputs.some((t) => t?.variable));
    if (!exportable(op.name) || kept.length === 0) continue;
    it(`${op.name} of int8, within ${steps[op.name] ?? 1}`, async () => {
      for (const sample of kept) {
        const built = sampleCase(op, sample);
        const want = createSession({ main: built.graph, subgraphs: [] }).invoke(built.inputs);
        const found = await runOnnx(built.graph, built.inputs).catch((error: Error) => {
          throw new Error(`${sample.name}: ${error.message}`);
        });
        want.forEach((data, i) => {
          let worst = 0;
          data.forEach((v, k) => {
            worst = Math.max(worst, Math.abs(Number(v) - Number(found[i]?.[k])));
          });
          expect(worst, `${sample.name}, output ${i}`).toBeLessThanOrEqual(steps[op.name] ?? 1);
        });
      }
    });
  }

  it("what cannot be written is known", () => {
    expect(operators.filter((op) => !exportable(op.name)).map((op) => op.name)).toMatchInlineSnapshot(`
      [
        "ASSIGN_VARIABLE",
        "CALL_ONCE",
        "CUMSUM",
        "FLOOR_MOD",
        "FMOD",
        "IMU_FEATURES",
        "LOG_MEL",
        "MFCC",
        "READ_VARIABLE",
        "SCATTER",
        "SHAPE",
        "SPECTROGRAM",
        "SVDF",
        "TOPK_V2",
        "VAR_HANDLE",
      ]
    `);
  });
});
