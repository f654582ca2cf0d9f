/**
 * `npm run conformance`: every shared model against TFLM's outputs and operator hashes, and the 16x8 layer tests, on
 * the interpreter, the host, WebAssembly and emulated cores, each with the kernels for its instructions; C layer by layer,
 * streamed, and with a pushed input. Prints a table; exits 1 on any difference.
 */
import { parseArgs } from "node:util";
import { type CompileOptions, generate, type PlannedModel, planModel } from "../src/app/compile.js";
import { isaOfTarget } from "../src/app/isa.js";
import { renderTable } from "../src/app/report/table.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { type TensorData, toBytes } from "../src/base/dtype.js";
import { fnv1a } from "../src/base/random.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Graph, Model, Node } from "../src/ops/index.js";
import { dropFloatEdges } from "../src/passes/edges.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import type { Program, RunResult } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import {
  goldenOps,
  goldenOutputs,
  type LayerCase,
  layerCases,
  loadModel,
  modelsMissing,
  type OpGolden,
} from "./goldens.js";

const everyTarget = ["interpreter", "host", "wasm", "cortex-m4", "cortex-m55"];
const moreTargets = ["cortex-m0plus", "cortex-m7", "cortex-m33"];
const mlperfTiny = ["kws", "vww96", "resnet", "ad01", "strww"];
const layerTargets = ["interpreter", "host", "cortex-m4"];
const runs = [0, 1, 2];
/** Above this size a model has a program for each form: emulated flash is not endless. */
const maxSharedBytes = 1_000_000;

/** What one model on one target came to. */
interface Verdict {
  readonly outputs: number;
  readonly operators: number;
  readonly differences: readonly string[];
}

const bytesOfOutput = (graph: Graph, index: number, data: TensorData): Uint8Array =>
  toBytes(tensorOf(graph, graph.outputs[index] as Graph["outputs"][number]).dtype, data);

/** Where a node is in the list of hashes; undefined for one whose output a pass has laid out otherwise. */
type GoldenIndex = (graph: Graph, node: Node) => number | undefined;

const shapeOf = (graph: Graph, { outputs: [id] }: Node): string =>
  id === undefined ? "" : tensorOf(graph, id).shape.join();

/** A model with quantized ports, as the operator hashes were made, and where each of its nodes is in their list. */
function quantizedModel(model: Model): { readonly model: Model; readonly goldenIndex: GoldenIndex } {
  const main = dropFloatEdges.run(model.main, { subgraphs: model.subgraphs });
  const places = new Map(main.nodes.map((n, i) => [n.origin.index, { at: i, shape: shapeOf(main, n) }]));
  return {
    model: { ...model, main },
    goldenIndex: (graph, node) => {
      const place = places.get(node.origin.index);
      return place?.shape === shapeOf(graph, node) ? place.at : undefined;
    },
  };
}

function checkOutputs(expected: readonly string[], found: readonly Uint8Array[], run: number): readonly string[] {
  return expected.flatMap((hex, i) =>
    Buffer.from(found[i] ?? []).toString("hex") === hex ? [] : [`run ${run} output ${i}`],
  );
}

/** Compares one operator's output; `output` other than 0 has no golden. */
function checkOperator(node: Node, golden: OpGolden | undefined, hash: string, run: number): readonly string[] {
  return golden === undefined || golden[2] === hash ? [] : [`run ${run} op ${node.origin.index} ${node.op}`];
}

function onInterpreter(model: Model, planned: PlannedModel): Verdict {
  const golden = goldenOutputs()[model.name] ?? [];
  const ops = goldenOps()[model.name] ?? [];
  const differences: string[] = [];
  let outputs = 0;
  let operators = 0;
  for (const graph of [model.main, planned.graph]) {
    for (const run of runs) {
      const found = createSession({ main: graph, subgraphs: model.subgraphs }).invoke(testInputs(model.main, run));
      differences.push(
        ...checkOutputs(
          golden[run] ?? [],
          found.map((d, i) => bytesOfOutput(graph, i, d)),
          run,
        ),
      );
      outputs += found.length;
    }
  }
  const quantized = quantizedModel(model);
  for (const graph of [quantized.model.main, planModel(quantized.model, { deadChannels: "keep" }).graph]) {
    runs.forEach((run) => {
      const list = ops[run] ?? [];
      createSession({ main: graph, subgraphs: model.subgraphs }).invoke(testInputs(graph, run), (node, [out]) => {
        const index = quantized.goldenIndex(graph, node);
        const id = node.outputs[0];
        if (index === undefined || out === undefined || id === undefined) return;
        operators++;
        differences.push(...checkOperator(node, list[index], fnv1a(toBytes(tensorOf(graph, id).dtype, out)), run));
      });
    });
  }
  return { outputs, operators, differences };
}

const program = (planned: readonly PlannedModel[]): Program => {
  const generated = planned.map(generate);
  return {
    files: new Map(generated.flatMap((g) => [...g.files])),
    models: generated.map((g) => ({ name: g.name, ...g.layout })),
  };
};

const inputBytes = (graph: Graph, data: readonly TensorData[]): readonly Uint8Array[] =>
  data.map((d, i) => toBytes(tensorOf(graph, graph.inputs[i] as Graph["inputs"][number]).dtype, d));

/** The plans that every model is verified with. */
const forms = {
  layers: { plan: "layers" },
  resident: { optimize: "memory" },
  pushed: { optimize: "memory", feed: "pushed" },
} as const satisfies Readonly<Record<string, CompileOptions>>;

/** A model planned in every form, under names of their own, so that one program can hold them. */
const inAllForms = (model: Model, extra: CompileOptions = {}): readonly PlannedModel[] =>
  Object.entries(forms).map(([form, options]) =>
    planModel(model, { ...options, ...extra, name: `${model.name}_${form}` }),
  );

/** Programs of no more constants than the emulated flash has room for. */
function programsOf(planned: readonly PlannedModel[], weightsBytes: number): readonly (readonly PlannedModel[])[] {
  return weightsBytes > maxSharedBytes ? planned.map((p) => [p]) : [planned];
}

/** The bytes of every operator's first output, as the interpreter computes them. */
function operatorBytes({ graph, model }: PlannedModel, run: number): ReadonlyMap<Node, Uint8Array> {
  const bytes = new Map<Node, Uint8Array>();
  createSession({ main: graph, subgraphs: model.subgraphs }).invoke(testInputs(graph, run), (node, [out]) => {
    const [id] = node.outputs;
    if (out !== undefined && id !== undefined) bytes.set(node, toBytes(tensorOf(graph, id).dtype, out).slice());
  });
  return bytes;
}

/** Compares traced outputs, whole or row by row, with the interpreter's, and those that are complete with TFLM's. */
function checkTrace(
  planned: PlannedModel,
  result: RunResult,
  golden: readonly OpGolden[],
  index: GoldenIndex,
  run: number,
): { count: number; differences: readonly string[] } {
  const differences: string[] = [];
  const expected = operatorBytes(planned, run);
  const seen = new Map<Node, number>();
  let count = 0;
  for (const record of result.trace) {
    const node = planned.graph.nodes[record.step];
    const bytes = node && expected.get(node);
    if (node === undefined || bytes === undefined || record.output !== 0) continue;
    const from = seen.get(node) ?? 0;
    const to = from + record.bytes;
    seen.set(node, to);
    if (fnv1a(bytes.subarray(from, to)) !== record.hash)
      differences.push(`run ${run} op ${node.origin.index} ${node.op}`);
    const at = index(planned.graph, node);
    if (to !== bytes.length || at === undefined) continue;
    count++;
    differences.push(...checkOperator(node, golden[at], fnv1a(bytes), run));
  }
  return { count, differences };
}

async function onTarget(name: string, model: Model): Promise<Verdict> {
  const target = findTarget(name);
  const missing = target.missingTool();
  if (missing !== null) throw new DiagnosticError([missing]);
  const isa = isaOfTarget(name);
  const golden = goldenOutputs()[model.name] ?? [];
  const differences: string[] = [];
  let outputs = 0;
  let operators = 0;
  const requestsFor = (planned: readonly PlannedModel[]) =>
    planned.flatMap((p, at) =>
      runs.map((run) => ({ model: at, inputs: inputBytes(p.graph, testInputs(p.graph, run)) })),
    );
  for (const planned of programsOf(inAllForms(model, { isa }), model.fileBytes)) {
    const report = await target.run(program(planned), requestsFor(planned), {});
    report.runs.forEach((result, i) => {
      const run = i % runs.length;
      const form = planned[Math.floor(i / runs.length)]?.name ?? "";
      differences.push(...checkOutputs(golden[run] ?? [], result.outputs, run).map((d) => `${form} ${d}`));
      if (!result.canariesIntact) differences.push(`${form} run ${run} wrote outside its buffers`);
      outputs += result.outputs.length;
    });
  }
  const quantized = quantizedModel(model);
  for (const traced of programsOf(inAllForms(quantized.model, { deadChannels: "keep", isa }), model.fileBytes)) {
    const trace = await target.run(program(traced), requestsFor(traced), { trace: true });
    trace.runs.forEach((result, i) => {
      const run = i % runs.length;
      const planned = traced[Math.floor(i / runs.length)] as PlannedModel;
      const checked = checkTrace(planned, result, goldenOps()[model.name]?.[run] ?? [], quantized.goldenIndex, run);
      operators += checked.count;
      if (checked.count === 0) differences.push(`${planned.name}: no operator was traced`);
      differences.push(...checked.differences.map((d) => `${planned.name} ${d}`));
    });
  }
  return { outputs, operators, differences };
}

const rawBytes = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** All layer tests of one operator on one target: the cases that differ. */
async function layersOn(name: string, cases: readonly LayerCase[]): Promise<readonly string[]> {
  const planned = cases.map((c) => planModel(c.model, { isa: isaOfTarget(name) }));
  const expected = cases.map((c) => rawBytes(c.expected));
  const found =
    name === "interpreter"
      ? cases.map((c, i) =>
          createSession({ main: planned[i]?.graph ?? c.model.main, subgraphs: [] })
            .invoke(c.inputs)
            .map(rawBytes),
        )
      : (
          await findTarget(name).run(
            program(planned),
            cases.map((c, model) => ({ model, inputs: c.inputs.map(rawBytes) })),
            {},
          )
        ).runs.map((r) => (r.canariesIntact ? r.outputs : []));
  return cases
    .filter((_, i) => Buffer.compare(found[i]?.[0] ?? new Uint8Array(0), expected[i] ?? new Uint8Array(0)) !== 0)
    .map((c) => c.name);
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

async function checkModels(
  names: readonly string[],
  only: readonly string[] | undefined,
): Promise<{ rows: string[][]; failures: string[] }> {
  const columns = [...everyTarget, ...moreTargets].filter((t) => only?.includes(t) ?? true);
  const failures: string[] = [];
  const rows: string[][] = [];
  for (const name of names) {
    const model = loadModel(name);
    const planned = planModel(model);
    const cells: string[] = [];
    for (const target of columns) {
      if (!everyTarget.includes(target) && !mlperfTiny.includes(name)) {
        cells.push("-");
        continue;
      }
      const start = Date.now();
      const verdict = target === "interpreter" ? onInterpreter(model, planned) : await onTarget(target, model);
      const [first] = verdict.differences;
      cells.push(first === undefined ? `${verdict.outputs} + ${verdict.operators}` : `DIFFERS: ${first}`);
      failures.push(...verdict.differences.map((d) => `${name} on ${target}: ${d}`));
      process.stderr.write(`${name} on ${target}: ${first ?? "equal"} (${seconds(start)})\n`);
    }
    rows.push([name, ...cells]);
  }
  return { rows: [["model", ...columns], ...rows], failures };
}

/** Cases by operator: the name without its number. */
function groupByOp(cases: readonly LayerCase[]): ReadonlyMap<string, readonly LayerCase[]> {
  const groups = new Map<string, LayerCase[]>();
  for (const c of cases) {
    const op = c.name.replace(/\d+$/, "");
    groups.set(op, [...(groups.get(op) ?? []), c]);
  }
  return groups;
}

async function checkLayers(only: readonly string[] | undefined): Promise<{ rows: string[][]; failures: string[] }> {
  const columns = layerTargets.filter((t) => only?.includes(t) ?? true);
  const byOp = groupByOp(layerCases());
  const failures: string[] = [];
  const rows: string[][] = [];
  for (const [op, cases] of byOp) {
    const cells: string[] = [];
    for (const target of columns) {
      const start = Date.now();
      const different = await layersOn(target, cases);
      cells.push(`${cases.length - different.length} of ${cases.length}`);
      failures.push(...different.map((d) => `${d} on ${target}`));
      process.stderr.write(
        `16x8 ${op} on ${target}: ${cases.length - different.length} of ${cases.length} (${seconds(start)})\n`,
      );
    }
    rows.push([op, ...cells]);
  }
  return { rows: [["16x8 layer", ...columns], ...rows], failures };
}

const print = ([head = [], ...rows]: readonly (readonly string[])[]): void =>
  void process.stdout.write(
    `${renderTable(
      head.map((title) => ({ title, align: "left" })),
      rows,
    )}\n\n`,
  );

const { values } = parseArgs({
  options: { models: { type: "string" }, on: { type: "string" }, layers: { type: "string", default: "all" } },
});
const missing = modelsMissing();
if (missing !== null) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}
const only = values.on?.split(",");
const models = await checkModels(values.models?.split(",") ?? Object.keys(goldenOutputs()), only);
const layers = values.layers === "none" ? { rows: [], failures: [] } : await checkLayers(only);
process.stdout.write(
  "Output tensors + operator outputs equal to TFLM's, over 3 runs: on the interpreter of both graphs, elsewhere of the\nlayer-by-layer, the best resident and the best pushed plan\n\n",
);
print(models.rows);
if (layers.rows.length > 0) print(layers.rows);
const failures = [...models.failures, ...layers.failures];
process.stdout.write(
  failures.length === 0 ? "all equal\n" : `${failures.length} differences\n${failures.slice(0, 50).join("\n")}\n`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
