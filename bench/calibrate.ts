/**
 * `npm run calibrate [-- --cores a,b --ops A,B]`: measures every kernel (of the given operators) on layers of usual sizes and
 * on the operators' own samples, on each emulated core, fits cycles as weighted sums of features (src/cost/), and compares with
 * whole shared models, which take no part in the fit. Writes src/cost/calibrated.json.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { planModel } from "../src/app/compile.js";
import { isaOfTarget } from "../src/app/isa.js";
import { cyclesPerFiring } from "../src/app/kernels.js";
import { present } from "../src/base/assert.js";
import { assetPath } from "../src/base/assets.js";
import { toBytes } from "../src/base/dtype.js";
import { generateModel } from "../src/codegen/model.js";
import {
  type Calibration,
  kernelKey,
  type MeasuredCore,
  measuredCores,
  type Weights,
  weigh,
} from "../src/cost/cycles.js";
import { callMade, type Features, featureNames, featuresOf } from "../src/cost/features.js";
import { perTensor, tensorOf } from "../src/ir/graph.js";
import { type AnyOp, type Graph, operators } from "../src/ops/index.js";
import { callOf, constantBytes, type LoweredNode, lower } from "../src/ops/lower.js";
import { sampleCase } from "../src/ops/sample.js";
import type { Kernel } from "../src/ops/spec.js";
import type { Plan } from "../src/plan/plan.js";
import { planGroups, planLayers } from "../src/plan/planner.js";
import { testInputs } from "../src/run/inputs.js";
import type { TargetReport } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import { fitWeights } from "./fit.js";
import { loadModel, modelsMissing, sharedModels } from "./goldens.js";
import { usualLayers } from "./layers.js";

/** A kernel on a layer. */
interface Trial {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly plan: Plan;
  readonly symbol: string;
  /** See kernelKey. */
  readonly key: string;
  readonly features: Features;
  /** A layer of a usual size, not a sample of an operator. */
  readonly isUsual: boolean;
  /** Rows that are pushed, their bytes, and how often the layer fires. */
  readonly pushed: { readonly rows: number; readonly rowBytes: number; readonly firings: number } | null;
}

/** Programs hold so many layers at once: compiling and starting take longer than running. */
const layersPerProgram = 16;

/** The emulated target whose cycles stand for a core. */
const targetOf = (core: MeasuredCore) => findTarget(core === "cortex-m0plus" ? "rp2040" : core);

/** Every kernel that takes the sample's node. */
function trialsOf(spec: AnyOp, graph: Graph, core: MeasuredCore, isUsual: boolean): readonly Trial[] {
  const isa = isaOfTarget(core);
  const kernels = new Set<Kernel<object>>();
  lower(graph, {
    isa,
    choose: ({ kernels: all, spec: s }) => {
      if (s === spec) for (const k of all()) kernels.add(k);
      return null;
    },
  });
  return [...kernels].flatMap((kernel): readonly Trial[] => {
    const nodes = lower(graph, { isa, choose: (c) => (c.spec === spec ? kernel : null) });
    const node = nodes.find((n) => n.spec === spec);
    if (node === undefined) return [];
    const trialOf = (plan: Plan, byRows: boolean, pushed: Trial["pushed"] = null): readonly Trial[] => {
      const call = callMade(node, byRows);
      if (call === null) return [];
      const [symbol, key] = [call.symbol, kernelKey(call, kernel)];
      return [{ graph, nodes, plan, symbol, key, features: featuresOf(node, byRows), isUsual, pushed }];
    };
    const alone = trialOf(planLayers(graph, nodes), node.whole === null);
    const canPush = isUsual && node.whole !== null && node.rows !== null && node.rows.count > 1;
    if (!canPush) return alone;
    // The pushed input and the node, together.
    const pushed = planGroups(graph, nodes, [{ first: 0, end: 2 }], "pushed");
    const [, rows = 1, width = 1, channels = 1] = node.view.inputs[0]?.shape ?? [];
    return [...alone, ...trialOf(pushed, true, { rows, rowBytes: width * channels, firings: node.rows?.count ?? 0 })];
  });
}

function allTrials(core: MeasuredCore, ops: readonly string[] | null): readonly Trial[] {
  const specOf = new Map(operators.map((spec) => [spec.name, spec] as const));
  const layers = usualLayers().map(({ op, sample }) => ({
    spec: specOf.get(op as never) as AnyOp,
    sample,
    isUsual: true,
  }));
  const samples = operators.flatMap((spec) => spec.samples.map((sample) => ({ spec, sample, isUsual: false })));
  return [...layers, ...samples].flatMap(({ spec, sample, isUsual }, i) => {
    if (ops !== null && !ops.includes(spec.name)) return [];
    try {
      return trialsOf(spec, sampleCase(spec, sample as never, i + 1).graph, core, isUsual);
    } catch {
      // Samples that need a subgraph, or run before constants are folded, have no program of their own.
      return [];
    }
  });
}

async function runProgram(trials: readonly Trial[], core: MeasuredCore): Promise<TargetReport> {
  const models = trials.map(({ graph, nodes, plan }, i) =>
    generateModel({
      name: `m${i}`,
      graph,
      nodes,
      plan,
      sha256: "0",
      commandLine: "npm run calibrate",
    }),
  );
  const files = new Map(models.flatMap((m) => [...m.files]));
  const requests = trials.map(({ graph }, model) => ({
    model,
    inputs: testInputs(graph, 1).map((data, i) => toBytes(tensorOf(graph, graph.inputs[i] as never).dtype, data)),
  }));
  const program = { files, models: models.map((m) => ({ name: m.name, ...m.layout })) };
  return targetOf(core).run(program, requests, { profile: "cycles" });
}

/** A trial and the cycles that it took. */
type Measured = Trial & { readonly cycles: number };

/** What pushing a row takes, and for each byte: cycles that are no kernel's. */
interface PushCost {
  readonly perRow: number;
  readonly perByte: number;
}

/** Found from a layer that is computed when all of its rows are there, pushed or not. */
async function pushCost(core: MeasuredCore): Promise<PushCost> {
  const spec = present(
    operators.find(({ name }) => name === "RELU"),
    "RELU",
  );
  const rows = 32;
  const bytes = [16, 256] as const;
  const more = async (channels: number): Promise<number> => {
    const quant = perTensor(0.05, -128);
    const inputs = [{ shape: [1, rows, 1, channels], dtype: "int8", quant }] as const;
    const sample = { name: "table", attrs: {}, inputs, outputs: [{ dtype: "int8", quant }] };
    const { graph } = sampleCase(spec, sample as never, 1);
    const alone = present(trialsOf(spec, graph, core, true)[0], "a trial");
    const pushed = { ...alone, plan: planLayers(graph, alone.nodes, { feed: "pushed" }) };
    const { runs } = await runProgram([alone, pushed], core);
    return ((runs[1]?.cycles ?? 0) - (runs[0]?.cycles ?? 0)) / rows;
  };
  const [few, many] = [await more(bytes[0]), await more(bytes[1])];
  const perByte = Math.max(0, (many - few) / (bytes[1] - bytes[0]));
  return { perRow: Math.max(0, few - bytes[0] * perByte), perByte };
}

async function measureAll(trials: readonly Trial[], core: MeasuredCore): Promise<readonly Measured[]> {
  const { perRow, perByte } = await pushCost(core);
  process.stderr.write(`${core}: pushing takes ${perRow.toFixed(0)} cycles a row and ${perByte.toFixed(2)} a byte\n`);
  const measured: Measured[] = [];
  for (let at = 0; at < trials.length; at += layersPerProgram) {
    const part = trials.slice(at, at + layersPerProgram);
    process.stderr.write(`${core}: ${at} of ${trials.length}\n`);
    const { runs } = await runProgram(part, core);
    part.forEach((trial, i) => {
      const { rows, rowBytes, firings } = trial.pushed ?? { rows: 0, rowBytes: 0, firings: 0 };
      const others = rows * (perRow + rowBytes * perByte) + firings * cyclesPerFiring;
      const cycles = (runs[i]?.cycles ?? 0) - others;
      measured.push({ ...trial, cycles: Math.max(cycles, 0) });
    });
  }
  return measured;
}

/** Trials with the same name together. */
function groupBy<T>(trials: readonly T[], nameOf: (trial: T) => string): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const trial of trials) found.set(nameOf(trial), [...(found.get(nameOf(trial)) ?? []), trial]);
  return found;
}

/** The record in the order of its names. */
const sorted = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

const significant = (x: number): number => Number(x.toPrecision(3));

function weightsOf(measured: readonly Measured[]): Weights {
  const fitted = fitWeights(
    measured.map(({ features, cycles }) => ({ factors: featureNames.map((f) => features[f]), value: cycles })),
  );
  return Object.fromEntries(
    featureNames.flatMap((name, i) => ((fitted[i] ?? 0) > 1e-4 ? [[name, significant(fitted[i] ?? 0)]] : [])),
  );
}

/** With so many usual layers, the operators' samples, which are tiny, are left out. */
const enoughLayers = 6;

const fitting = (measured: readonly Measured[]): readonly Measured[] => {
  const usual = measured.filter((m) => m.isUsual);
  return usual.length >= enoughLayers ? usual : measured;
};

/** Weights of every kernel function, and of all together for kernels that were not measured. */
function fitKernels(measured: readonly Measured[]): Readonly<Record<string, Weights>> {
  const kernels = [...groupBy(measured, (m) => m.key)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, ms]) => [k, weightsOf(fitting(ms))] as const);
  return Object.fromEntries([["", weightsOf(measured)], ...kernels]);
}

/** Of shorter models nobody asks how long they take. */
const leastCycles = 100_000;

/** Estimate over measurement of each shared model, layer by layer. */
async function modelErrors(
  core: MeasuredCore,
  kernels: Readonly<Record<string, Weights>>,
): Promise<readonly (readonly [model: string, ratio: number])[]> {
  if (modelsMissing() !== null) return [];
  const errors: (readonly [string, number])[] = [];
  for (const name of sharedModels()) {
    if (name === "mcunetv2_large") continue;
    const planned = planModel(loadModel(name), { plan: "layers", floatEdges: "drop", isa: isaOfTarget(core) });
    const estimate = planned.nodes.reduce((sum, node, i) => {
      const call = planned.plan.steps[i]?.mode === "view" ? null : callOf(node);
      return call === null
        ? sum
        : sum + weigh(kernels[kernelKey(call, node.kernel)] ?? kernels[""] ?? {}, featuresOf(node));
    }, 0);
    const report = await runProgram(
      [{ ...planned, symbol: "", key: "", features: {} as Features, isUsual: false, pushed: null }],
      core,
    );
    const cycles = report.runs[0]?.cycles ?? 0;
    if (cycles >= leastCycles) errors.push([name, estimate / cycles]);
  }
  return errors;
}

/** Bytes of code of each kernel function, from programs of one layer. */
async function codeSizes(trials: readonly Trial[]): Promise<Readonly<Record<string, number>>> {
  const sizes: [string, number][] = [];
  for (const [symbol, [trial]] of groupBy(trials, (t) => t.symbol)) {
    if (trial === undefined) continue;
    const arrayBytes = trial.nodes.reduce((sum, n) => sum + constantBytes(n), 0);
    const { flashBytes = 0, harnessFlashBytes = 0 } = await runProgram([trial], "cortex-m4");
    sizes.push([symbol, Math.max(0, flashBytes - harnessFlashBytes - arrayBytes)]);
  }
  return Object.fromEntries(sizes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const file = assetPath("cost/calibrated.json");
const { values } = parseArgs({ options: { cores: { type: "string" }, ops: { type: "string" } } });
const ops = values.ops?.split(",") ?? null;
const chosen = measuredCores.filter((c) => values.cores === undefined || values.cores.split(",").includes(c));
const before: Partial<Calibration> = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Calibration) : {};
const cores: Record<string, Calibration["cores"][MeasuredCore]> = { ...before.cores };
let codeBytes = before.codeBytes ?? {};

/** Written after each core, so that a long run that is broken off is not in vain. */
const write = (): void => writeFileSync(file, `${JSON.stringify({ schemaVersion: 1, cores, codeBytes }, null, 1)}\n`);

for (const core of chosen) {
  const found = fitKernels(await measureAll(allTrials(core, ops), core));
  const known = before.cores?.[core].kernels ?? {};
  // Of a few operators nothing follows for the others, nor for those that were not measured.
  const kernels = ops === null ? found : sorted({ ...known, ...found, "": known[""] ?? found[""] ?? {} });
  const errors = await modelErrors(core, kernels);
  for (const [model, ratio] of errors)
    process.stdout.write(`${core} ${model}: estimate / measured ${ratio.toFixed(3)}\n`);
  const ratios = errors.map(([, ratio]) => ratio);
  const error = [significant(Math.min(1, ...ratios)), significant(Math.max(1, ...ratios))] as const;
  cores[core] = { kernels, error };
  if (core === "cortex-m4") codeBytes = sorted({ ...codeBytes, ...(await codeSizes(allTrials(core, ops))) });
  write();
}
process.stderr.write(`wrote ${file}\n`);
