/**
 * `npm run fuzz -- --runs N [--seed S] [--format tflite|onnx]`: damaged TensorFlow Lite and ONNX files through the importers, the passes and the planner.
 * Every result must be a model or diagnostics: no other exception, nothing over 5 s, no process over 1 GiB. Files that
 * break the rule are kept under bench/results/ for test/corpus.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { planModel } from "../src/app/compile.js";
import { importOnnx } from "../src/app/files.js";
import { packageRoot } from "../src/base/assets.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { fnv1a, type Random, seededRandom } from "../src/base/random.js";
import { importTflite } from "../src/formats/tflite/import.js";
import type { Model } from "../src/ops/index.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { exampleModel } from "./example.js";
import { modelsFolder, modelsMissing } from "./goldens.js";
import { casesOf, onnxMissing } from "./onnx-cases.js";

const maxMs = 5000;
const maxBytes = 2 ** 30;
/** Files that open and are no more work than this run on the interpreter too. */
const maxRunMacs = 3e6;
const maxRunBytes = 2 ** 20;

let opened = 0;
let ran = 0;

/** The name of a way to damage a file, and the damage. */
type Mutation = readonly [name: string, mutate: (bytes: Uint8Array, random: Random) => Uint8Array];

const hostile = [
  0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
];

/** Mostly in the structure, which lies around the ends of a file: weights are dull. */
const position = (bytes: Uint8Array, random: Random): number => {
  const near = Math.min(bytes.length, 8192);
  const where = random.integer(0, 3);
  if (where === 0) return random.integer(0, bytes.length - 1);
  return where === 1 ? random.integer(0, near - 1) : bytes.length - 1 - random.integer(0, near - 1);
};

const mutations: readonly Mutation[] = [
  ["truncated", (bytes, random) => bytes.slice(0, random.integer(0, bytes.length))],
  [
    "bits flipped",
    (bytes, random) => {
      const out = bytes.slice();
      for (let n = random.integer(1, 8); n > 0; n--) {
        const at = position(out, random);
        out[at] = (out[at] ?? 0) ^ (1 << random.integer(0, 7));
      }
      return out;
    },
  ],
  [
    "hostile word",
    (bytes, random) => {
      const out = bytes.slice();
      const view = new DataView(out.buffer);
      for (let n = random.integer(1, 3); n > 0; n--) {
        const at = position(out, random) & ~3;
        if (at + 4 <= out.length) view.setUint32(at, hostile[random.integer(0, hostile.length - 1)] ?? 0, true);
      }
      return out;
    },
  ],
  [
    "offset redirected",
    (bytes, random) => {
      const out = bytes.slice();
      const view = new DataView(out.buffer);
      const at = position(out, random) & ~3;
      if (at + 4 <= out.length) view.setUint32(at, random.integer(0, out.length), true);
      return out;
    },
  ],
  [
    "block copied",
    (bytes, random) => {
      const out = bytes.slice();
      const length = random.integer(1, 64);
      const from = position(out, random);
      out.copyWithin(position(out, random), from, from + length);
      return out;
    },
  ],
];

interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly format: "tflite" | "onnx";
}

const importers: Readonly<Record<Seed["format"], (bytes: Uint8Array, name: string) => Model>> = {
  tflite: importTflite,
  onnx: importOnnx,
};

/** ONNX's own cases, where they are installed. */
function onnxSeeds(): readonly Seed[] {
  if (onnxMissing() !== null) return [];
  return ["node", "pytorch-converted", "pytorch-operator", "simple"].flatMap((kind) =>
    casesOf(kind).map((folder): Seed => {
      const bytes = new Uint8Array(readFileSync(join(folder, "model.onnx")));
      return { name: folder.split("/").pop() ?? "", bytes, format: "onnx" };
    }),
  );
}

/** Small files make most of the runs: their structure is hit more often, and they run faster. */
function seeds(): readonly Seed[] {
  const own: Seed = { name: "example", bytes: exampleModel(), format: "tflite" };
  if (modelsMissing() !== null) return [own];
  const files = readdirSync(modelsFolder).filter((f) => f.endsWith(".tflite"));
  const layers = [
    "add/add0",
    "conv/conv0",
    "strided_slice/strided_slice0",
    "transpose_conv/transpose_conv0",
    "pad/pad0",
    "leaky_relu/leaky_relu0",
  ].map((f) => `seanet/${f}.tflite`);
  return [
    own,
    ...[...files, ...layers]
      .map((f): Seed => ({ name: f, bytes: new Uint8Array(readFileSync(join(modelsFolder, f))), format: "tflite" }))
      .filter((s) => s.bytes.length < 700_000),
  ];
}

/** What is wrong with how Thimble took a file, or null. */
function problemOf(bytes: Uint8Array, format: Seed["format"]): string | null {
  const start = performance.now();
  try {
    const model = importers[format](bytes, "fuzzed");
    opened++;
    const { plan, nodes } = planModel(model);
    const macs = nodes.reduce((sum, n) => sum + n.spec.cost(n.view).macs, 0);
    if (macs < maxRunMacs && plan.arenaBytes < maxRunBytes) {
      createSession(model).invoke(testInputs(model.main, 0));
      ran++;
    }
  } catch (error) {
    if (!(error instanceof DiagnosticError))
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (error.diagnostics.length === 0) return "an error without diagnostics";
  }
  const ms = performance.now() - start;
  return ms > maxMs ? `took ${Math.round(ms)} ms` : null;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    format: { type: "string", default: "all" },
  },
});
const runs = Number(values.runs);
const random = seededRandom(Number(values.seed));
const pools = { tflite: seeds(), onnx: onnxSeeds() };
/** Either format is half of the runs, however many files of it there are. */
const formats = (["tflite", "onnx"] as const).filter(
  (f) => pools[f].length > 0 && (values.format === "all" || values.format === f),
);
const folder = join(packageRoot, "bench/results/fuzz");
let accepted = 0;
let failures = 0;
let slowest = 0;
const begin = performance.now();
for (let run = 0; run < runs; run++) {
  const pool = pools[formats[random.integer(0, formats.length - 1)] ?? "tflite"];
  const seed = pool[random.integer(0, pool.length - 1)] as Seed;
  const [kind, mutate] = mutations[random.integer(0, mutations.length - 1)] as Mutation;
  let bytes = mutate(seed.bytes, random);
  if (random.integer(0, 3) === 0)
    bytes = (mutations[random.integer(1, mutations.length - 1)] as Mutation)[1](
      bytes.length > 64 ? bytes : seed.bytes,
      random,
    );
  const start = performance.now();
  const problem = problemOf(bytes, seed.format);
  slowest = Math.max(slowest, performance.now() - start);
  if (problem === null) accepted++;
  else {
    failures++;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${fnv1a(bytes)}.${seed.format}`);
    writeFileSync(file, bytes);
    process.stdout.write(`run ${run}, ${seed.name} ${kind}: ${problem}\n  kept as ${file}\n`);
  }
  if (run % 1000 === 999)
    process.stderr.write(
      `${run + 1} of ${runs}, ${failures} failures, ${((performance.now() - begin) / 1000).toFixed(0)} s\n`,
    );
}
const peak = process.resourceUsage().maxRSS * 1024;
if (peak > maxBytes) failures++;
process.stdout.write(
  `${runs} files from ${formats.reduce((sum, f) => sum + pools[f].length, 0)} seeds: ${opened} opened, ${ran} run, ${accepted - opened} refused with diagnostics, ${failures} failures; slowest ${Math.round(slowest)} ms; peak memory ${(peak / 2 ** 20).toFixed(0)} MiB\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
