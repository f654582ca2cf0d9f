import { type Diagnostic, DiagnosticError } from "../base/diagnostics.js";
import { elementsOf, fromBytes, makeData, type TensorData } from "../base/dtype.js";
import type { GeneratedModel } from "../codegen/model.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph, Model } from "../ops/index.js";
import type { Isa } from "../ops/isa.js";
import { dropFloatEdges } from "../passes/edges.js";
import type { IncrementalPlan } from "../plan/plan.js";
import { testInputs } from "../run/inputs.js";
import { createSession, type Session } from "../run/interpreter.js";
import type { RunOptions } from "../verify/target.js";
import { findTarget } from "../verify/targets.js";
import {
  compare,
  programOf,
  requestsOf,
  type TargetOutcome,
  type VerifyCase,
  type VerifySubject,
  verifyOn,
} from "../verify/verify.js";
import { type CompileOptions, generate, type PlannedModel, planModel } from "./compile.js";
import { isaOfTarget } from "./isa.js";
import { type ProfileReport, profileOf } from "./report/profile.js";

/** The targets that `verify` compares: the interpreter on the compiled graph, and everything that runs C. */
export type VerifyTarget = "interpreter" | string;

export interface VerifyOptions extends CompileOptions {
  /** Inputs of each run; three pseudo-random runs unless given. */
  readonly inputs?: readonly (readonly TensorData[])[];
  readonly run?: RunOptions;
  /** Measures every layer on emulated cores. */
  readonly profile?: true;
  /** Told before each target starts: its name, its place from 0, and how many there are. */
  readonly onTarget?: (name: string, index: number, count: number) => void;
}

/** What `thimble verify --json` prints; version 1. */
export interface VerifyReport {
  readonly schemaVersion: 1;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly runs: number;
  readonly targets: readonly VerifyOutcome[];
}

/** How a target did, and, where it was asked for and the target can tell, what each layer took. */
export interface VerifyOutcome extends Omit<TargetOutcome, "steps" | "mix"> {
  readonly profile?: ProfileReport;
}

/** The graph as the file has it (but for dropped float edges): what every target is compared with. */
const sourceGraph = (model: Model, options: CompileOptions): Graph =>
  options.floatEdges === "drop" ? dropFloatEdges.run(model.main, { subgraphs: model.subgraphs }) : model.main;

const subjectOf = (planned: PlannedModel, generated: GeneratedModel): VerifySubject => ({
  generated,
  inputTypes: planned.graph.inputs.map((id) => tensorOf(planned.graph, id).dtype),
  outputs: planned.graph.outputs.map((id) => {
    const t = tensorOf(planned.graph, id);
    return { dtype: t.dtype, elements: elementsOf(t.shape) };
  }),
});

/** Hops after the first window that verification takes at most. */
const verifiedHops = 40;

/** Windows of a pseudo-random time series, each a hop further than the one before, for incremental inference. */
function seriesCases(graph: Graph, session: Session, { hop, rows }: IncrementalPlan): readonly VerifyCase[] {
  const hops = Math.min(2 * Math.ceil(rows / hop) + 7, verifiedHops);
  const parts = Array.from({ length: 1 + Math.ceil((hops * hop) / rows) }, (_, run) => testInputs(graph, run)[0]);
  const series = parts.flatMap((part) => Array.from(part as ArrayLike<number>));
  const [input] = graph.inputs.map((id) => tensorOf(graph, id));
  const perRow = elementsOf(input?.shape ?? []) / rows;
  return Array.from({ length: hops + 1 }, (_, h): VerifyCase => {
    const window = makeData(input?.dtype ?? "int8", rows * perRow);
    (window as Int8Array).set(series.slice(h * hop * perRow, (h * hop + rows) * perRow));
    return { inputs: [window], expected: session.invoke([window]), ...(h > 0 ? { newElements: hop * perRow } : {}) };
  });
}

function casesOf(graph: Graph, { model, plan }: PlannedModel, inputs: VerifyOptions["inputs"]): readonly VerifyCase[] {
  const session = createSession({ main: graph, subgraphs: model.subgraphs });
  if (plan.incremental !== null && inputs === undefined) return seriesCases(graph, session, plan.incremental);
  const runs = inputs ?? [0, 1, 2].map((run) => testInputs(graph, run));
  return runs.map((values) => {
    session.reset();
    return { inputs: values, expected: session.invoke(values) };
  });
}

function interpreterOutcome(planned: PlannedModel, cases: readonly VerifyCase[]): TargetOutcome {
  const session = createSession({ main: planned.graph, subgraphs: planned.model.subgraphs });
  let mismatches = 0;
  let maxError = 0;
  for (const c of cases) {
    session.reset();
    session.invoke(c.inputs).forEach((found, i) => {
      const expected = c.expected[i];
      const id = planned.graph.outputs[i];
      if (expected === undefined || id === undefined) return;
      const result = compare(tensorOf(planned.graph, id).dtype, expected, found);
      mismatches += result.mismatches;
      maxError = Math.max(maxError, result.maxError);
    });
  }
  return { name: "interpreter", identical: mismatches === 0, mismatches, maxError, canariesIntact: true };
}

/** A planned model and its C. */
interface Compiled {
  readonly planned: PlannedModel;
  readonly generated: GeneratedModel;
}

/** Compiles a model for a target, once for all that have the same instructions; `options.isa` is for all of them. */
function compilerFor(model: Model, options: CompileOptions): (target: VerifyTarget) => Compiled {
  const compiled = new Map<Isa, Compiled>();
  return (target) => {
    const isa = options.isa ?? isaOfTarget(target);
    const found = compiled.get(isa);
    if (found !== undefined) return found;
    const planned = planModel(model, { ...options, isa });
    const made = { planned, generated: generate(planned) };
    compiled.set(isa, made);
    return made;
  };
}

/** Verifies on the named targets, in order. */
export async function verifyCompiled(
  model: Model,
  compiledFor: (target: VerifyTarget) => Compiled,
  names: readonly VerifyTarget[],
  options: VerifyOptions,
): Promise<VerifyReport> {
  // Names and tools are checked before any work, so that a typing error does not cost minutes.
  const found = names.map((name) => (name === "interpreter" ? null : findTarget(name)));
  const missing = found.map((t) => t?.missingTool() ?? null).filter((d): d is Diagnostic => d !== null);
  if (missing.length > 0) throw new DiagnosticError(missing);
  const source = sourceGraph(model, options);
  const cases = casesOf(source, compiledFor(names[0] ?? "interpreter").planned, options.inputs);
  const run: RunOptions = { ...options.run, ...(options.profile ? { profile: "steps" } : {}) };
  const targets: VerifyOutcome[] = [];
  for (const [index, target] of found.entries()) {
    const name = target?.name ?? "interpreter";
    options.onTarget?.(name, index, found.length);
    const { planned, generated } = compiledFor(name);
    const { steps, mix, ...outcome } =
      target === null
        ? interpreterOutcome(planned, cases)
        : await verifyOn(target, subjectOf(planned, generated), cases, run);
    const profiled = options.profile && steps !== undefined;
    targets.push(profiled ? { ...outcome, profile: profileOf(planned, steps, mix) } : outcome);
  }
  return { schemaVersion: 1, model: { name: model.name, sha256: model.sha256 }, runs: cases.length, targets };
}

/**
 * Compiles a model and runs the same inputs on every named target, with kernels for what its core can do; all must give
 * what the interpreter gives on the graph as the file has it. Throws TH5001 for a missing tool, TH5002 for an unknown target.
 */
export const verify = (
  model: Model,
  names: readonly VerifyTarget[],
  options: VerifyOptions = {},
): Promise<VerifyReport> => verifyCompiled(model, compilerFor(model, options), names, options);

/** One inference on one target; outputs in graph order, with their types. */
export async function run(
  model: Model,
  target: VerifyTarget,
  inputs: readonly TensorData[],
  options: VerifyOptions = {},
): Promise<readonly TensorData[]> {
  if (target === "interpreter")
    return createSession({ main: sourceGraph(model, options), subgraphs: model.subgraphs }).invoke(inputs);
  const found = findTarget(target);
  const { planned, generated } = compilerFor(model, options)(target);
  const subject = subjectOf(planned, generated);
  const missing = found.missingTool();
  if (missing !== null) throw new DiagnosticError([missing]);
  const report = await found.run(
    programOf(subject.generated),
    requestsOf(subject, [{ inputs, expected: [] }]),
    options.run ?? {},
  );
  return subject.outputs.map((o, i) => fromBytes(o.dtype, report.runs[0]?.outputs[i] ?? new Uint8Array(0), o.elements));
}
