import { describe, expect, it } from "vitest";
import { findOp } from "../ops/index.js";
import { sampleCase } from "../ops/sample.js";
import type { Sample } from "../ops/spec.js";
import { createSession } from "../run/interpreter.js";
import { trainStep } from "./step.js";
import { unrollSequences } from "./unroll.js";

const lstm = findOp("UNIDIRECTIONAL_SEQUENCE_LSTM");
const samples = (lstm?.samples ?? []).filter((s) => s.outputs[0]?.dtype === "float32");
const forms: readonly (readonly [string, Sample<object>])[] = samples.flatMap((s) => [
  [s.name, s] as const,
  [
    `${s.name}, batch first, no limit`,
    { ...s, attrs: { timeMajor: false, cellClip: 0 }, inputs: batchFirst(s) },
  ] as const,
]);

/** The state is of as many sequences as the input's first axis says then. */
function batchFirst(s: Sample<object>): Sample<object>["inputs"] {
  const batch = s.inputs[0]?.shape[0] ?? 1;
  return s.inputs.map((t) => (t?.variable ? { ...t, shape: [batch, t.shape[1] ?? 1] } : t));
}

describe("sequences unrolled", () => {
  it.each(forms)("%s: computes the same", (_, sample) => {
    if (!lstm) throw new Error("no operator");
    const { graph, inputs } = sampleCase(lstm, sample);
    const [want] = createSession({ main: graph, subgraphs: [] }).invoke(inputs);
    const [found] = createSession({ main: unrollSequences(graph), subgraphs: [] }).invoke(inputs);
    want?.forEach((v, i) => {
      expect(found?.[i]).toBeCloseTo(Number(v), 5);
    });
  });

  it("all weights of a sequence's operator are trained, in batches", () => {
    const [sample] = samples;
    if (!lstm || !sample) throw new Error("no sample");
    const one = sample.inputs.map((t, i) => (t && (i === 0 || t.variable) ? { ...t, shape: t.shape.with(0, 1) } : t));
    const { graph } = sampleCase(lstm, { ...sample, attrs: { timeMajor: false, cellClip: 0 }, inputs: one });
    const step = trainStep(graph, {
      batch: 2,
      loss: { kind: "mse" },
      optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 },
    });
    expect(step.inputShape[0]).toBe(2);
    expect(step.parameters.weights.length).toBe(12);
  });
});
