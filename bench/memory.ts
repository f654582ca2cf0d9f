/**
 * `npm run bench -- memory [--models a,b]`: RAM and instructions of every shared model layer by layer, at its least with a
 * resident input, and at its least with a pushed one, each run on the emulated Cortex-M4 and compared with the
 * interpreter, beside the figures of peers and the targets in targets.json. Kernels are those of the Cortex-M4.
 */
import { parseArgs } from "node:util";
import { verify } from "../src/app/api.js";
import { type CompileOptions, planModel } from "../src/app/compile.js";
import { renderTable } from "../src/app/report/table.js";
import { fail } from "../src/base/diagnostics.js";
import { grouped } from "../src/base/units.js";
import type { Model } from "../src/ops/index.js";
import { loadModel, modelsMissing, sharedModels } from "./goldens.js";
import type { BenchResult } from "./main.js";
import { type ModelFigures, readTargets } from "./targets.js";

/** A plan of a model as it was measured. */
interface Measured {
  readonly peakBytes: number;
  readonly planMs: number;
  readonly instructions: number;
  readonly stackBytes: number;
  readonly recomputedMacs: number;
  readonly identical: boolean;
  /** The least RAM at next to no cost was too much: kernels gave way to ones with less scratch at any cost. */
  readonly squeezed: boolean;
}

const forms = {
  layers: { plan: "layers" },
  resident: { optimize: "memory" },
  pushed: { optimize: "memory", feed: "pushed" },
} as const satisfies Readonly<Record<string, CompileOptions>>;

type Form = keyof typeof forms;

/** The most instructions that streaming may cost, and the most stack. */
const overheadLimit = 0.08;
const stackLimit = 1024;

interface Row {
  readonly model: string;
  readonly tflmBytes: number | null;
  readonly tinyengineBytes: number | null;
  readonly target: { readonly residentBytes?: number; readonly pushedBytes?: number };
  readonly forms: Readonly<Record<Form, Measured>>;
}

async function measure(model: Model, options: CompileOptions): Promise<Measured> {
  // Float edges are dropped, as the peers' figures have int8 inputs.
  const full: CompileOptions = { ...options, floatEdges: "drop", isa: "dsp" };
  const squeezed = options.budgetBytes !== undefined;
  const start = performance.now();
  const { plan } = planModel(model, full);
  const planMs = performance.now() - start;
  const report = await verify(model, ["cortex-m4"], full);
  const [target] = report.targets;
  return {
    peakBytes: plan.peakBytes,
    planMs: Math.round(planMs),
    instructions: target?.instructions ?? 0,
    stackBytes: target?.stackBytes ?? 0,
    recomputedMacs: plan.recomputedMacs,
    identical: target?.identical ?? false,
    squeezed,
  };
}

/** The least RAM of a form, and, where that is above the target, what fits into it. */
async function measureWithin(model: Model, form: CompileOptions, targetBytes = Infinity): Promise<Measured> {
  const least = await measure(model, form);
  return least.peakBytes <= targetBytes ? least : measure(model, { ...form, budgetBytes: targetBytes });
}

/** TinyEngine's least: its patches and the image they are cut from, or its layers. */
function leastOfTinyEngine(entry: ModelFigures | undefined): number | null {
  const runs = Object.values(entry?.tinyengine?.["cortex-m4"] ?? {});
  return runs.length === 0 ? null : Math.min(...runs.map((r) => r.sramBytes + r.imageBytesBesides));
}

async function measureModel(name: string, entry: ModelFigures | undefined): Promise<Row> {
  const model = loadModel(name);
  return {
    model: name,
    tflmBytes: entry?.tflm?.["cortex-m4"]?.arenaBytes ?? null,
    tinyengineBytes: leastOfTinyEngine(entry),
    target: entry?.target ?? {},
    forms: {
      layers: await measure(model, forms.layers),
      resident: await measureWithin(model, forms.resident, entry?.target?.residentBytes),
      pushed: await measureWithin(model, forms.pushed, entry?.target?.pushedBytes),
    },
  };
}

/** What does not hold of what was promised. */
function shortfalls({ model, target, forms: f }: Row): readonly string[] {
  const over = (form: Form): number => f[form].instructions / f.layers.instructions - 1;
  const check = (holds: boolean, what: string) => (holds ? [] : [`${model}: ${what}`]);
  return (Object.keys(forms) as Form[]).flatMap((form) => {
    const m = f[form];
    const limit = form === "layers" ? undefined : target[`${form}Bytes`];
    return [
      ...check(m.identical, `${form} gives other outputs than the interpreter`),
      ...check(limit === undefined || m.peakBytes <= limit, `${form} needs ${m.peakBytes} B, the target is ${limit} B`),
      ...check(m.stackBytes <= stackLimit, `${form} takes ${m.stackBytes} B of stack`),
      ...check(
        m.squeezed || over(form) <= overheadLimit,
        `${form} takes ${(100 * over(form)).toFixed(1)}% more instructions`,
      ),
      ...check(m.recomputedMacs === 0, `${form} recomputes ${m.recomputedMacs} MACs`),
      ...check(m.planMs < 5000, `${form} takes ${m.planMs} ms to plan`),
    ];
  });
}

const columns = [
  { title: "model", align: "left" },
  { title: "TFLM B", align: "right" },
  { title: "TinyEngine B", align: "right" },
  { title: "layers B", align: "right" },
  { title: "resident B", align: "right" },
  { title: "target", align: "right" },
  { title: "pushed B", align: "right" },
  { title: "target", align: "right" },
  { title: "layers M4 instr.", align: "right" },
  { title: "resident", align: "right" },
  { title: "pushed", align: "right" },
  { title: "MACs twice", align: "right" },
  { title: "stack B", align: "right" },
  { title: "plan ms", align: "right" },
] as const;

const orDash = (n: number | null | undefined): string => (n === null || n === undefined ? "-" : grouped(n));

function rowTexts({ model, tflmBytes, tinyengineBytes, target, forms: f }: Row): readonly string[] {
  const percent = (form: Form): string => {
    const more = 100 * (f[form].instructions / f.layers.instructions - 1);
    return `${more < 0 ? "" : "+"}${more.toFixed(2)}%${f[form].squeezed ? "*" : ""}`;
  };
  const all = Object.values(f);
  return [
    model,
    orDash(tflmBytes),
    orDash(tinyengineBytes),
    grouped(f.layers.peakBytes),
    grouped(f.resident.peakBytes),
    orDash(target.residentBytes),
    grouped(f.pushed.peakBytes),
    orDash(target.pushedBytes),
    grouped(f.layers.instructions),
    percent("resident"),
    percent("pushed"),
    grouped(Math.max(...all.map((m) => m.recomputedMacs))),
    grouped(Math.max(...all.map((m) => m.stackBytes))),
    grouped(Math.max(...all.map((m) => m.planMs))),
  ];
}

/** Measures the shared models; exit code 1 if a target, a limit or a bit is missed. */
export async function memoryBench(args: readonly string[]): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...args], options: { models: { type: "string" } } });
  const missing = modelsMissing();
  if (missing !== null) fail("TH6001", { found: missing, fix: "set THIMBLE_MODELS to the folder of the models" });
  const targets = readTargets();
  const rows: Row[] = [];
  for (const name of values.models?.split(",") ?? sharedModels()) {
    process.stderr.write(`${name}\n`);
    rows.push(await measureModel(name, targets.models[name]));
  }
  const failures = rows.flatMap(shortfalls);
  const verdict = failures.length === 0 ? "every target met" : failures.join("\n");
  const text = `${renderTable(columns, rows.map(rowTexts))}\n\nRAM besides the C stack, int8 inputs and outputs; instructions of one inference, streaming relative to layers.\n*: within the target at any cost; the kernels with the DSP instructions need scratch, the leanest are slower.\n${verdict}\n`;
  return {
    text,
    data: { schemaVersion: 1, core: "cortex-m4", rows, failures },
    exitCode: failures.length === 0 ? 0 : 1,
  };
}
