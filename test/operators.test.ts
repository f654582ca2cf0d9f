import { describe, expect, it } from "vitest";
import { type TensorData, toBytes } from "../src/base/dtype.js";
import { identifier } from "../src/codegen/c.js";
import { type GeneratedModel, generateModel } from "../src/codegen/model.js";
import { type AnyOp, operators } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import { planLayers } from "../src/plan/layers.js";
import { createSession } from "../src/run/interpreter.js";
import type { Program, RunRequest } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import { compare } from "../src/verify/verify.js";

/** Bytes left free between buffers, painted and checked, in the guarded form of each sample. */
const guardBytes = 32;

/** A sample compiled in one of its two forms. */
interface Compiled {
  readonly name: string;
  readonly sample: SampleCase;
  readonly generated: GeneratedModel;
  /** Two invocations in a row, so that state counts. */
  readonly expected: readonly (readonly TensorData[])[];
}

const runnable = operators.filter((op) => op.kernels.length > 0);

/** Every sample, once with guards between all buffers and once with storage shared in place. */
function compileSamples(op: AnyOp): readonly Compiled[] {
  return op.samples.flatMap((sample, index) =>
    [guardBytes, 0].map((guard): Compiled => {
      const built = sampleCase(op, sample);
      const { graph, inputs } = built;
      const nodes = lower(graph);
      const plan = planLayers(graph, nodes, { guardBytes: guard });
      const name = identifier(`${op.name}_${index}_${guard}`);
      const generated = generateModel({ name, graph, nodes, plan, sha256: "0", commandLine: "test" });
      const session = createSession({ main: graph, subgraphs: [] });
      const expected = [session.invoke(inputs), session.invoke(inputs)];
      return { name: `${sample.name}${guard > 0 ? ", guarded" : ", in place"}`, sample: built, generated, expected };
    }),
  );
}

const inputBytes = ({ graph, inputs }: SampleCase): readonly Uint8Array[] =>
  inputs.map((data, i) => toBytes(graph.tensors.get(graph.inputs[i] as never)?.dtype ?? "int8", data));

async function differences(target: string, compiled: readonly Compiled[]): Promise<readonly string[]> {
  const program: Program = {
    files: new Map(compiled.flatMap((c) => [...c.generated.files])),
    models: compiled.map((c) => ({ name: c.generated.name, ...c.generated.layout })),
  };
  const requests = compiled.flatMap((c, model): RunRequest[] => {
    const inputs = inputBytes(c.sample);
    return [
      { model, inputs },
      { model, inputs, keepState: true },
    ];
  });
  const report = await findTarget(target).run(program, requests, {});
  return compiled.flatMap((c, model) =>
    c.expected.flatMap((outputs, run) => {
      const result = report.runs[2 * model + run];
      const where = `${c.name}, run ${run}`;
      if (result === undefined) return [`${where}: no result`];
      if (!result.canariesIntact) return [`${where}: wrote outside its buffers`];
      return outputs.flatMap((want, i) => {
        const tensor = c.sample.graph.tensors.get(c.sample.graph.outputs[i] as never);
        const bytes = result.outputs[i] ?? new Uint8Array(0);
        const dtype = tensor?.dtype ?? "int8";
        const found = new (want.constructor as new (b: ArrayBuffer) => TensorData)(bytes.slice().buffer as ArrayBuffer);
        const { mismatches, maxError } = compare(dtype, want, found);
        return mismatches === 0
          ? []
          : [`${where}, output ${i}: ${mismatches} of ${want.length} differ, worst ${maxError}`];
      });
    }),
  );
}

describe("every operator's samples", () => {
  it("every operator that has code has some", () => {
    expect(runnable.filter((op) => op.samples.length === 0).map((op) => op.name)).toEqual([]);
  });

  for (const op of operators) {
    it(`${op.name}: inferred types are those of the results`, () => {
      for (const sample of op.samples) {
        const { graph, inputs } = sampleCase(op, sample);
        const outputs = createSession({ main: graph, subgraphs: [] }).invoke(inputs);
        outputs.forEach((data, i) => {
          const tensor = graph.tensors.get(graph.outputs[i] as never);
          expect(data.length, sample.name).toBe(tensor?.shape.reduce((a, b) => a * b, 1));
        });
      }
    });
  }

  for (const target of ["host", "cortex-m4"]) {
    const missing = findTarget(target).missingTool();
    describe.skipIf(missing !== null)(`${target}${missing ? ` (${missing.fix})` : ""}`, () => {
      for (const op of runnable) {
        it(`${op.name}: the generated C gives the interpreter's bits`, async () => {
          expect(await differences(target, compileSamples(op))).toEqual([]);
        });
      }
    });
  }
});
