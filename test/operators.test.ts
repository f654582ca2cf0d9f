import { describe, expect, it } from "vitest";
import { type TensorData, toBytes } from "../src/base/dtype.js";
import { type TensorId, tensorId } from "../src/base/units.js";
import { identifier } from "../src/codegen/c.js";
import { type GeneratedModel, generateModel } from "../src/codegen/model.js";
import type { Tensor } from "../src/ir/graph.js";
import { type AnyOp, type Graph, type Node, type OpName, operators } from "../src/ops/index.js";
import { isImage, type LoweredNode, lower } from "../src/ops/lower.js";
import { type SampleCase, sampleCase } from "../src/ops/sample.js";
import type { Feed, Plan } from "../src/plan/plan.js";
import { planGroups, planLayers } from "../src/plan/planner.js";
import { createSession } from "../src/run/interpreter.js";
import type { RunRequest } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import { compare } from "../src/verify/verify.js";
import { programOfAll } from "./plan-checks.js";

/** Bytes left free between buffers, painted and checked, in the guarded form of each sample. */
const guardBytes = 32;

/** A sample compiled in one of its forms. */
interface Compiled {
  readonly name: string;
  readonly sample: SampleCase;
  readonly generated: GeneratedModel;
  /** Two invocations in a row, so that state counts. */
  readonly expected: readonly (readonly TensorData[])[];
}

const runnable = operators.filter((op) => op.kernels.length > 0);

/** Inputs of a sample's node of which a firing takes a row; null if the node cannot stream. */
function streamedInputs({ rows, fold, view }: LoweredNode): readonly number[] | null {
  if (fold !== null) return [0];
  if (rows === null || rows.images !== 1) return null;
  return view.inputs.flatMap((t, i) => (t !== null && rows.windows[i] ? [i] : []));
}

/** An operator that goes through a tensor element by element, in place where it may, and mostly changes it. */
function elementwise(from: Tensor, to: Tensor): Node {
  const isActivation = from.dtype === "float32" || ((from.dtype === "int8" || from.dtype === "int16") && from.quant);
  // Halved negatives stay in every operator's range; other types have no operator that takes them all but this copy.
  const [op, attrs] = isActivation ? (["LEAKY_RELU", { alpha: 0.5 }] as const) : (["CAST", {}] as const);
  return { op, inputs: [from.id], outputs: [to.id], attrs, origin: { index: 0, op } } as Node;
}

/**
 * A sample's node between elementwise operators, which give it rows and take its rows; null if it cannot stream. An input
 * that comes in rows is the graph's first, so that it is the one to be pushed.
 */
function streamCase({ graph, inputs }: SampleCase): SampleCase | null {
  const [lowered] = lower(graph);
  const indices = lowered && streamedInputs(lowered);
  if (!lowered || !indices) return null;
  const tensors = new Map(graph.tensors);
  const twin = (t: Tensor, id: number): Tensor => {
    const copy = { ...t, id: tensorId(id), name: `${t.name}_${id}` };
    tensors.set(copy.id, copy);
    return copy;
  };
  const givers = indices.flatMap((i) => {
    const t = lowered.view.inputs[i] as Tensor;
    return graph.inputs.includes(t.id) ? [{ given: twin(t, 1000 + i), t }] : [];
  });
  const takers = lowered.view.outputs.flatMap((t, i) => (isImage(t) ? [{ t, taken: twin(t, 2000 + i) }] : []));
  const nodes = [
    ...givers.map(({ given, t }) => elementwise(given, t)),
    ...graph.nodes,
    ...takers.map(({ t, taken }) => elementwise(t, taken)),
  ];
  const renamed = new Map([
    ...givers.map(({ given, t }) => [t.id, given.id] as const),
    ...takers.map(({ t, taken }) => [t.id, taken.id] as const),
  ]);
  const rename = (id: TensorId): TensorId => renamed.get(id) ?? id;
  const ports = graph.inputs.map((id, i) => ({ id, data: inputs[i] as TensorData, isLater: !renamed.has(id) }));
  const ordered = ports.sort((a, b) => Number(a.isLater) - Number(b.isLater));
  return {
    graph: {
      ...graph,
      tensors,
      nodes,
      inputs: ordered.map(({ id }) => rename(id)),
      outputs: graph.outputs.map(rename),
    },
    inputs: ordered.map(({ data }) => data),
  };
}

/** All units in one group. */
function planStream(graph: Graph, nodes: readonly LoweredNode[], feed: Feed): Plan {
  const pushes = feed === "pushed" && graph.inputs.length > 0 ? 1 : 0;
  return planGroups(graph, nodes, [{ first: 0, end: nodes.length + pushes }], feed);
}

function compileCase(name: string, label: string, sample: SampleCase, planOf: PlanOf): Compiled {
  const { graph, inputs } = sample;
  // Joins and parts copy here, so that their kernels run.
  const nodes = lower(graph, { sharing: "separate" });
  const plan = planOf(graph, nodes);
  const generated = generateModel({ name: identifier(name), graph, nodes, plan, sha256: "0", commandLine: "test" });
  const session = createSession({ main: graph, subgraphs: [] });
  const expected = [session.invoke(inputs), session.invoke(inputs)];
  return { name: label, sample, generated, expected };
}

type PlanOf = (graph: Graph, nodes: readonly LoweredNode[]) => Plan;

/** The forms of a sample on its own, and of one that streams. */
const alone: Readonly<Record<string, PlanOf>> = {
  guarded: (graph, nodes) => planLayers(graph, nodes, { guardBytes }),
  "in place": planLayers,
};
const streamed: Readonly<Record<string, PlanOf>> = {
  streamed: (graph, nodes) => planStream(graph, nodes, "resident"),
  pushed: (graph, nodes) => planStream(graph, nodes, "pushed"),
};

/** Every sample, with guards between all buffers, with storage shared in place, and in rows where it can. */
function compileSamples(op: AnyOp): readonly Compiled[] {
  return op.samples.flatMap((sample, index) => {
    const built = sampleCase(op, sample);
    const stream = streamCase(built);
    const all = (forms: Readonly<Record<string, PlanOf>>, c: SampleCase): readonly Compiled[] =>
      Object.entries(forms).map(([form, planOf]) =>
        compileCase(`${op.name}_${index}_${form}`, `${sample.name}, ${form}`, c, planOf),
      );
    return [...all(alone, built), ...(stream === null ? [] : all(streamed, stream))];
  });
}

/** Operators with code but without a sample that streams, because they never do. */
const neverStream: readonly (readonly [op: OpName, why: string])[] = [
  ["ARG_MAX", "an index over a whole axis"],
  ["ARG_MIN", "an index over a whole axis"],
  ["ASSIGN_VARIABLE", "state"],
  ["BATCH_MATMUL", "a matrix is needed as a whole"],
  ["CUMSUM", "sums run on"],
  ["DROPOUT", "a view"],
  ["EXPAND_DIMS", "a view"],
  ["GRU", "state"],
  ["LSTM", "state"],
  ["READ_VARIABLE", "state"],
  ["RESHAPE", "a view"],
  ["RNN", "state"],
  ["SCATTER", "rows at any index"],
  ["SQUEEZE", "a view"],
  ["SVDF", "state"],
  ["TOPK_V2", "a whole axis"],
  ["UNIDIRECTIONAL_SEQUENCE_LSTM", "state"],
];

const inputBytes = ({ graph, inputs }: SampleCase): readonly Uint8Array[] =>
  inputs.map((data, i) => toBytes(graph.tensors.get(graph.inputs[i] as never)?.dtype ?? "int8", data));

async function differences(target: string, compiled: readonly Compiled[]): Promise<readonly string[]> {
  const program = programOfAll(compiled.map((c) => c.generated));
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

  it("every operator that can stream does in some sample", () => {
    const streams = (op: AnyOp): boolean => op.samples.some((sample) => streamCase(sampleCase(op, sample)) !== null);
    expect(runnable.filter((op) => !streams(op)).map((op) => op.name)).toEqual(neverStream.map(([op]) => op));
  });

  it("a sample that streams has one group, of several steps that all go by rows", () => {
    const wrong = runnable.flatMap((op) =>
      op.samples.flatMap((sample) => {
        const stream = streamCase(sampleCase(op, sample));
        if (stream === null) return [];
        const plan = planStream(stream.graph, lower(stream.graph, { sharing: "separate" }), "pushed");
        const [group] = plan.groups;
        const steps = plan.steps.map((s) => s.mode);
        const isOne = plan.groups.length === 1 && group?.order?.includes("push") && steps.length > 1;
        return isOne && steps.every((mode) => mode === "rows" || mode === "fold") ? [] : [`${op.name}: ${sample.name}`];
      }),
    );
    expect(wrong).toEqual([]);
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
