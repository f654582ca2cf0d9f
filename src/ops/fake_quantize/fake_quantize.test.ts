import { expect, test } from "vitest";
import { tensorOf } from "../../ir/graph.js";
import { createSession } from "../../run/interpreter.js";
import { graphEmitter } from "../emitter.js";
import type { Graph } from "../index.js";
import { sampleCase } from "../sample.js";
import { fakeQuantize } from "./fake_quantize.js";

/** y and, for a loss of sum(y * weight), dx and dscale, by the operator's own graph. */
function run(x: readonly number[], scale: number, attrs: { low: number; high: number; zeroPoint: number }) {
  const sample = {
    name: "given",
    attrs,
    inputs: [
      { shape: [x.length], dtype: "float32" as const },
      { shape: [1], dtype: "float32" as const, constant: [Math.log(scale)] },
    ],
    outputs: [{ dtype: "float32" as const }],
  };
  const { graph } = sampleCase(fakeQuantize as never, sample);
  const emit = graphEmitter(graph);
  emit.append(graph.nodes, []);
  const [node] = graph.nodes;
  const view = {
    op: "FAKE_QUANTIZE",
    attrs,
    inputs: node?.inputs.map((id) => tensorOf(graph, id as never)) ?? [],
    outputs: node?.outputs.map((id) => tensorOf(graph, id)) ?? [],
    origin: { index: 0, op: "FAKE_QUANTIZE" },
  };
  const upstream = emit.constant([x.length], new Float32Array(x.length).fill(1));
  const gradient = fakeQuantize.gradient;
  if (typeof gradient === "string") throw new Error("no gradient");
  const gradients = gradient(view, [upstream], emit);
  const outputs = [...graph.outputs, ...gradients.map((t) => t?.id as never)];
  const whole: Graph = { ...graph, tensors: emit.tensors(), nodes: emit.nodes(), outputs };
  return createSession({ main: whole, subgraphs: [] })
    .invoke([Float32Array.from(x)])
    .map((d) => Array.from(d as Float32Array));
}

test("rounds, limits, and lets gradients through where it does not limit", () => {
  const [y, dx, ds] = run([0.24, -0.26, 0.5, 9, -9], 0.5, { low: -4, high: 3, zeroPoint: 1 });
  y?.forEach((v, i) => {
    expect(v).toBeCloseTo([0, -0.5, 0.5, 1, -2.5][i] as number, 6);
  });
  expect(dx).toEqual([1, 1, 1, 0, 0]);
  // Rounded less not rounded: -0.48, -0.48, 0; the ends: 2 and -5. Over sqrt(5 elements * 2), and times
  // the scale, as its logarithm is learnt.
  expect(ds?.[0]).toBeCloseTo((0.5 * (-0.48 - 0.48 + 0 + 2 - 5)) / Math.sqrt(10), 5);
});

test("is what integers hold: a second pass changes nothing", () => {
  const x = Array.from({ length: 200 }, (_, i) => Math.sin(i * 7.3) * 3);
  const attrs = { low: -128, high: 127, zeroPoint: -20 };
  const [once = []] = run(x, 0.02, attrs);
  expect(run(once, 0.02, attrs)[0]).toEqual(once);
  expect(new Set(once.map((v) => Math.round(v / 0.02) - 20)).size).toBeGreaterThan(50);
});
