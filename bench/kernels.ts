/**
 * `npm run bench -- kernels [--models a,b] [--cores a,b]`: instructions, estimated cycles, flash besides weights and stack of
 * every shared model on every emulated core, layer by layer, and of the plan with the least RAM; compared with the
 * interpreter bit for bit, beside the figures of peers, the best published latencies and the targets.
 */
import { parseArgs } from "node:util";
import { inspect, verify } from "../src/app/api.js";
import type { CompileOptions } from "../src/app/compile.js";
import { isaOfTarget } from "../src/app/isa.js";
import { renderTable } from "../src/app/report/table.js";
import { fail } from "../src/base/diagnostics.js";
import { grouped } from "../src/base/units.js";
import type { Model } from "../src/ops/index.js";
import type { TargetName } from "../src/verify/target.js";
import { loadModel, modelsMissing, sharedModels } from "./goldens.js";
import type { BenchResult } from "./main.js";
import { readTargets, type Targets } from "./targets.js";

/** Cores in the order of the table; the Cortex-M0+ is the RP2040's, whose emulator counts cycles itself. */
const cores = ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rp2040"] as const satisfies readonly TargetName[];
type CoreName = (typeof cores)[number];

/** The name of a core in targets.json. */
const figureName = (core: CoreName): string => (core === "rp2040" ? "cortex-m0plus" : core);

/** Models that the RP2040's RAM does not hold layer by layer. */
const tooLargeForRp2040: readonly string[] = ["mcunetv2_large"];

/** Cycles on the M0+ that are to be reached, millions. */
const m0plusMegacycles: Readonly<Record<string, number>> = { kws: 18, vww96: 55, resnet: 75, ad01: 1.9 };

/** The most flash besides weights, bytes: on the M4 as compiled by default, and for size. */
const flashLimits: Readonly<Record<string, number>> = { kws: 14_000, mcunet_vww1: 18_000 };
const sizeLimits: Readonly<Record<string, number>> = { kws: 9_000 };

/** The most instructions that streaming may cost, and how far the M7 and M33 may be above the M4. */
const streamingLimit = 0.08;
/** What packing weights may add to constants. */
const packingLimit = 0.03;
const siblingLimit = 0.03;

interface Measured {
  readonly identical: boolean;
  readonly instructions: number;
  readonly cycles: number;
  readonly stackBytes: number;
  /** The linked model without weights, biases, multipliers and tables: code, parameters and schedule. */
  readonly flashBesidesWeightsBytes: number;
  /** Weights as they are packed, with biases, multipliers and tables. */
  readonly constantsBytes: number;
  readonly peakBytes: number;
}

interface Row {
  readonly model: string;
  readonly core: CoreName;
  readonly macs: number;
  readonly layers: Measured;
  readonly memory: Measured;
  /** What packed weights take over those of the portable kernels, relative to them. */
  readonly packing: number;
  readonly tflmInstructions: number | null;
  readonly tinyengineInstructions: number | null;
  readonly targetInstructions: number | null;
  readonly publishedMegacycles: number | null;
}

async function measure(model: Model, core: CoreName, options: CompileOptions): Promise<Measured> {
  // Float edges are dropped, as the peers' figures have int8 inputs.
  const full: CompileOptions = { ...options, floatEdges: "drop", isa: isaOfTarget(core) };
  const { totals } = inspect(model, { ...full, boards: [] });
  const optimization = options.optimize === "size" ? { optimization: "-Os" as const } : {};
  const report = await verify(model, [core], { ...full, run: { profile: "cycles", ...optimization } });
  const [target] = report.targets;
  return {
    identical: target?.identical ?? false,
    instructions: target?.instructions ?? 0,
    cycles: target?.cycles ?? 0,
    stackBytes: target?.stackBytes ?? 0,
    flashBesidesWeightsBytes: (target?.modelFlashBytes ?? 0) - totals.constantsBytes,
    constantsBytes: totals.constantsBytes,
    peakBytes: totals.peakBytes,
  };
}

/** TinyEngine's fewest instructions, whatever its rounding. */
const leastOfTinyEngine = (runs: Readonly<Record<string, { readonly instructions: number }>> = {}): number | null => {
  const counts = Object.values(runs).map((r) => r.instructions);
  return counts.length === 0 ? null : Math.min(...counts);
};

async function measureRow(name: string, core: CoreName, targets: Targets): Promise<Row> {
  const model = loadModel(name);
  const figures = targets.models[name];
  const key = figureName(core);
  const layers = await measure(model, core, { plan: "layers" });
  const plain = inspect(model, { boards: [], plan: "layers", floatEdges: "drop", isa: "portable" }).totals;
  return {
    model: name,
    core,
    macs: inspect(model, { boards: [], deadChannels: "keep" }).totals.macs,
    layers,
    packing: layers.constantsBytes / plain.constantsBytes - 1,
    memory: await measure(model, core, { optimize: "memory" }),
    tflmInstructions: figures?.tflm?.[key]?.instructions ?? null,
    tinyengineInstructions: leastOfTinyEngine(figures?.tinyengine?.[key]),
    targetInstructions: figures?.target?.instructions?.[key] ?? null,
    publishedMegacycles: targets.bestPublished?.[key]?.[name]?.megacycles ?? null,
  };
}

/** What does not hold of what is promised of one row. */
function shortfalls(row: Row, m4: Row | undefined): readonly string[] {
  const { model, core, layers, memory, targetInstructions: target, publishedMegacycles: published } = row;
  const check = (holds: boolean, what: string) => (holds ? [] : [`${model} on ${core}: ${what}`]);
  const million = (n: number): string => (n / 1e6).toFixed(3);
  const megacycles = core === "rp2040" ? m0plusMegacycles[model] : core === "cortex-m55" ? undefined : published;
  const streaming = memory.instructions / layers.instructions - 1;
  const flashLimit = core === "cortex-m4" ? flashLimits[model] : undefined;
  const isSibling = m4 !== undefined && (core === "cortex-m7" || core === "cortex-m33");
  return [
    ...check(layers.identical && memory.identical, "other outputs than the interpreter's"),
    ...check(
      target === null || layers.instructions <= target,
      `${million(layers.instructions)} M instructions, target ${million(target ?? 0)} M`,
    ),
    ...check(
      megacycles === undefined || megacycles === null || layers.cycles <= megacycles * 1e6,
      `${million(layers.cycles)} M cycles, to beat: ${megacycles} M`,
    ),
    ...check(row.packing <= packingLimit, `packed weights take ${(100 * row.packing).toFixed(1)}% more`),
    ...check(streaming <= streamingLimit, `streaming takes ${(100 * streaming).toFixed(1)}% more instructions`),
    ...check(
      !isSibling || layers.instructions <= (1 + siblingLimit) * m4.layers.instructions,
      "more than 3% above the M4's instructions",
    ),
    ...check(
      flashLimit === undefined || layers.flashBesidesWeightsBytes <= flashLimit,
      `${layers.flashBesidesWeightsBytes} B of flash besides weights, limit ${flashLimit} B`,
    ),
  ];
}

/** The models that have a limit when compiled for size. */
async function sizeRows(names: readonly string[]) {
  const rows = [];
  for (const name of names) {
    const limit = sizeLimits[name];
    if (limit === undefined) continue;
    rows.push({ model: name, limit, measured: await measure(loadModel(name), "cortex-m4", { optimize: "size" }) });
  }
  return rows;
}

/**
 * How the timing of cores compares with reality, as far as it is published: the same engine's cycles on a core over those on
 * the M4, beside ours. An engine that did better on one core than on another would show as an error too.
 */
function timingChecks(rows: readonly Row[], targets: Targets): readonly string[] {
  const reference = targets.bestPublished?.["cortex-m4"] ?? {};
  return rows.flatMap(({ model, core, layers }) => {
    const published = targets.bestPublished?.[core]?.[model];
    const onM4 = reference[model];
    const m4 = rows.find((r) => r.model === model && r.core === "cortex-m4");
    if (core === "cortex-m4" || !published || !onM4 || !m4 || makerOf(published.by) !== makerOf(onM4.by)) return [];
    const theirs = published.megacycles / onM4.megacycles;
    const ours = layers.cycles / m4.layers.cycles;
    const error = 100 * (ours / theirs - 1);
    return [
      `${model}, cycles on ${core} over cortex-m4: ${ours.toFixed(3)} by estimate, ${theirs.toFixed(3)} published by ${makerOf(published.by)} (${error > 0 ? "+" : ""}${error.toFixed(1)}%)`,
    ];
  });
}

const makerOf = (by: string): string => by.split(",")[0] ?? by;

const columns = [
  { title: "model", align: "left" },
  { title: "core", align: "left" },
  { title: "instructions", align: "right" },
  { title: "target", align: "right" },
  { title: "TFLM", align: "right" },
  { title: "TinyEngine", align: "right" },
  { title: "per MAC", align: "right" },
  { title: "cycles", align: "right" },
  { title: "best published", align: "right" },
  { title: "flash besides weights B", align: "right" },
  { title: "packing", align: "right" },
  { title: "stack B", align: "right" },
  { title: "RAM B", align: "right" },
  { title: "least RAM B", align: "right" },
  { title: "its instr.", align: "right" },
] as const;

const orDash = (n: number | null): string => (n === null ? "-" : grouped(n));

const rowTexts = (row: Row): readonly string[] => [
  row.model,
  row.core,
  grouped(row.layers.instructions),
  orDash(row.targetInstructions),
  orDash(row.tflmInstructions),
  orDash(row.tinyengineInstructions),
  (row.layers.instructions / row.macs).toFixed(2),
  grouped(row.layers.cycles),
  row.publishedMegacycles === null ? "-" : grouped(Math.round(row.publishedMegacycles * 1e6)),
  grouped(row.layers.flashBesidesWeightsBytes),
  `${(100 * row.packing).toFixed(1)}%`,
  grouped(row.layers.stackBytes),
  grouped(row.layers.peakBytes),
  grouped(row.memory.peakBytes),
  `${(100 * (row.memory.instructions / row.layers.instructions - 1)).toFixed(2)}%`,
];

/** Measures the shared models; exit code 1 if a target, a limit or a bit is missed. */
export async function kernelsBench(args: readonly string[]): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...args], options: { models: { type: "string" }, cores: { type: "string" } } });
  const missing = modelsMissing();
  if (missing !== null) fail("TH6001", { found: missing, fix: "set THIMBLE_MODELS to the folder of the models" });
  const targets = readTargets();
  const names = values.models?.split(",") ?? sharedModels();
  const chosen = cores.filter((c) => values.cores === undefined || values.cores.split(",").includes(c));
  const rows: Row[] = [];
  for (const name of names) {
    for (const core of chosen) {
      if (core === "rp2040" && tooLargeForRp2040.includes(name)) continue;
      process.stderr.write(`${name} on ${core}\n`);
      rows.push(await measureRow(name, core, targets));
    }
  }
  const sizes = await sizeRows(names);
  const m4Of = (model: string) => rows.find((r) => r.model === model && r.core === "cortex-m4");
  const failures = [
    ...rows.flatMap((row) => shortfalls(row, m4Of(row.model))),
    ...sizes.flatMap(({ model, limit, measured }) =>
      measured.identical && measured.flashBesidesWeightsBytes <= limit
        ? []
        : [`${model} for size: ${measured.flashBesidesWeightsBytes} B of flash besides weights, limit ${limit} B`],
    ),
  ];
  const sizeText = sizes.map(
    ({ model, measured: m }) =>
      `${model} with --optimize size on cortex-m4: ${grouped(m.flashBesidesWeightsBytes)} B of flash besides weights, ${grouped(m.instructions)} instructions`,
  );
  const verdict = failures.length === 0 ? "every target met" : failures.join("\n");
  const text = [
    renderTable(columns, rows.map(rowTexts)),
    "",
    "Layer by layer, int8 inputs and outputs, gcc -O2. Cycles: by the cores' documented timing without wait states; rp2040: as",
    "its emulator counts. Per MAC: of the file's MACs, channels that cannot matter among them.",
    ...timingChecks(rows, targets),
    ...sizeText,
    verdict,
    "",
  ].join("\n");
  return { text, data: { schemaVersion: 1, rows, sizes, failures }, exitCode: failures.length === 0 ? 0 : 1 };
}
