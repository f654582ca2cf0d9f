/**
 * `npm run bench -- accuracy [--only magic-wand] [--work DIR]`: trains, quantizes and verifies on real data by the command
 * line alone, and holds the results to what is promised: accuracy of the integer network, what post-training quantization
 * and quantization-aware training lose, RAM and flash of the image on a Cortex-M4, and that the firmware computes what the
 * interpreter does on the whole test set, from the signal on. Data sets are found by THIMBLE_DATA (default
 * ../shared/datasets) and THIMBLE_FASHION_MNIST (default where Debian puts it); those that are missing are left out.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { QuantizeReport } from "../src/app/quantize.js";
import { renderTable } from "../src/app/report/table.js";
import type { Score } from "../src/app/score.js";
import type { TrainModelReport } from "../src/app/train-model.js";
import type { VerifyReport } from "../src/app/verification.js";
import { packageRoot } from "../src/base/assets.js";
import { fail } from "../src/base/diagnostics.js";
import { grouped } from "../src/base/units.js";
import type { BenchResult } from "./main.js";

/** A data set, how a network is trained on it, and what is to be reached. */
interface Task {
  readonly name: string;
  readonly folder: string;
  /** How the data set is read, the same for every command. */
  readonly data: readonly string[];
  readonly train: readonly string[];
  /** Epochs of quantization-aware training, and its options. */
  readonly qat: readonly string[];
  /** The share of test examples that the integer network is to get right. */
  readonly target: number;
  /** Bytes of the image on a Cortex-M4, stack included, and of its flash. */
  readonly limits?: { readonly ramBytes: number; readonly flashBytes: number };
}

const shared = process.env["THIMBLE_DATA"] ?? join(packageRoot, "../shared/datasets");

const cosines = { kind: "imu-features", fullScale: [8, 8, 8, 1000, 1000, 1000], statistics: false, bands: 0 };

const tasks: readonly Task[] = [
  {
    name: "magic-wand",
    folder: join(shared, "magic-wand"),
    data: ["--window", "119", "--frontend", JSON.stringify(cosines)],
    train: [
      "--net",
      "mlp",
      "--width",
      "0.5",
      "--epochs",
      "100",
      "--batch",
      "16",
      "--rate",
      "0.003",
      "--augment",
      `[{"kind":"rotation","degrees":15}]`,
    ],
    qat: ["--qat", "20", "--batch", "16", "--rate", "0.003"],
    target: 24 / 25,
  },
  {
    name: "spoken-digits",
    folder: join(shared, "spoken-digits"),
    data: ["--pattern", "{label}_{group}_{index}", "--split", "index:0-4", "--length", "8000", "--frontend", "log-mel"],
    train: [
      "--net",
      "ds-cnn",
      "--epochs",
      "25",
      "--rate",
      "0.004",
      "--batch",
      "32",
      "--augment",
      `[{"kind":"timeShift","milliseconds":60},{"kind":"specAugment","timeWidth":6,"bandWidth":5}]`,
    ],
    qat: ["--qat", "3", "--rate", "0.004", "--batch", "32"],
    target: 0.96,
  },
  {
    name: "fashion-mnist",
    folder: process.env["THIMBLE_FASHION_MNIST"] ?? "/usr/share/datasets/fashion-mnist",
    data: [],
    train: [
      "--net",
      "resnet-8",
      "--epochs",
      "18",
      "--rate",
      "0.003",
      "--augment",
      `[{"kind":"shift","pixels":2},{"kind":"flip"}]`,
    ],
    qat: ["--qat", "2", "--rate", "0.003"],
    target: 0.925,
    limits: { ramBytes: 32 * 1024, flashBytes: 100 * 1024 },
  },
];

/** The most that quantization may lose against the float network, as a share. */
const limits = { postTraining: 0.005, aware: 0.002, awareFourBits: 0.015 } as const;

const main = join(packageRoot, "dist/src/app/cli/main.js");
const shown = (args: readonly string[]): string =>
  ["thimble", ...args].map((a) => (/^[\w./:=-]+$/.test(a) ? a : `'${a}'`)).join(" ");

/** Runs the command line; its messages go to stderr, its JSON is the result. */
async function thimble<T>(...args: readonly string[]): Promise<T> {
  process.stderr.write(`${shown(args)}\n`);
  const child = spawn(process.execPath, [main, ...args, "--json", "--quiet"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8");
  for await (const part of child.stdout) text += part;
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("close", resolve);
  });
  if (text === "")
    return fail("TH5003", { where: [shown(args)], found: `exit code ${code}`, fix: "see the messages above" });
  return JSON.parse(text) as T;
}

interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly float: Score;
  readonly postTraining: Score;
  readonly aware: Score;
  readonly postTrainingFourBits: Score;
  readonly awareFourBits: Score;
  /** The integer network behind its front-end, from the signal on. */
  readonly firmware: Score;
  /** Examples on which every output of the generated C on the host was the interpreter's; and on the emulated core. */
  readonly identical: { readonly host: number; readonly cortexM4: number };
  readonly imageRamBytes: number;
  readonly imageFlashBytes: number;
  readonly stackBytes: number;
  readonly arenaBytes: number;
}

async function measure(task: Task, work: string): Promise<Row> {
  const data = ["--data", task.folder, ...task.data];
  const out = (what: string): string => join(work, `${task.name}-${what}`);
  const trained = await thimble<TrainModelReport>("train", ...task.train, ...data, "--out", out("float"));
  const float = join(out("float"), "float.onnx");
  const aware = (bits: string) =>
    thimble<TrainModelReport>(
      "train",
      float,
      "--epochs",
      "0",
      ...task.qat,
      "--weights",
      bits,
      ...data,
      "--out",
      out(`qat${bits}`),
    );
  const [eight, four] = [await aware("8"), await aware("4")];
  const post = await thimble<QuantizeReport>(
    "quantize",
    float,
    "--weights",
    "4",
    ...data,
    "--out",
    `${out("int4")}.tflite`,
  );
  const file = trained.withFrontend === null ? "model.tflite" : "model-with-frontend.thimble";
  const verify = (target: string, samples: string) =>
    thimble<VerifyReport>(
      "verify",
      join(out("float"), file),
      "--on",
      target,
      "--samples",
      samples,
      "--io",
      "quantized",
      "--optimize",
      "memory",
      ...data,
    );
  const [host, m4] = [await verify("host", "all"), await verify("cortex-m4", "20")];
  const same = (report: VerifyReport): number => (report.targets.every((t) => t.identical) ? report.runs : 0);
  const [core] = m4.targets;
  return {
    name: task.name,
    seconds: trained.seconds,
    float: trained.float,
    postTraining: trained.quantized,
    aware: eight.quantized,
    postTrainingFourBits: post.quantized,
    awareFourBits: four.quantized,
    firmware: trained.withFrontend ?? trained.quantized,
    identical: { host: same(host), cortexM4: same(m4) },
    imageRamBytes: core?.ramBytes ?? Number.NaN,
    imageFlashBytes: core?.flashBytes ?? Number.NaN,
    stackBytes: core?.stackBytes ?? Number.NaN,
    arenaBytes: trained.peakBytes,
  };
}

/** What does not hold of what is promised. */
function shortfalls(row: Row, { target, limits: sizes }: Task): readonly string[] {
  const check = (holds: boolean, what: string) => (holds ? [] : [`${row.name}: ${what}`]);
  const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
  const loss = (score: Score): number => row.float.value - score.value;
  const ram = row.imageRamBytes + row.stackBytes;
  return [
    ...check(row.firmware.value >= target - 1e-9, `${percent(row.firmware.value)} right, wanted ${percent(target)}`),
    ...check(
      loss(row.postTraining) <= limits.postTraining,
      `post-training quantization loses ${percent(loss(row.postTraining))}`,
    ),
    ...check(loss(row.aware) <= limits.aware, `quantization-aware training loses ${percent(loss(row.aware))}`),
    ...check(
      loss(row.awareFourBits) <= limits.awareFourBits,
      `with 4 bits it loses ${percent(loss(row.awareFourBits))}`,
    ),
    ...check(row.identical.host === row.firmware.count, "the host's C and the interpreter differ"),
    ...check(row.identical.cortexM4 === 20, "the emulated Cortex-M4 and the interpreter differ"),
    ...check(sizes === undefined || ram <= sizes.ramBytes, `${grouped(ram)} B of RAM`),
    ...check(
      sizes === undefined || row.imageFlashBytes <= sizes.flashBytes,
      `${grouped(row.imageFlashBytes)} B of flash`,
    ),
  ];
}

export async function accuracyBench(args: readonly string[]): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: "string" }, work: { type: "string" } } });
  const work = values.work ?? mkdtempSync(join(tmpdir(), "thimble-accuracy-"));
  const chosen = tasks.filter((t) => values.only === undefined || values.only.split(",").includes(t.name));
  const rows: Row[] = [];
  const wrong: string[] = [];
  for (const task of chosen) {
    if (!existsSync(task.folder)) {
      wrong.push(`${task.name}: no data at ${task.folder}`);
      continue;
    }
    const row = await measure(task, work);
    rows.push(row);
    wrong.push(...shortfalls(row, task));
  }
  const percent = (s: Score): string => (100 * s.value).toFixed(2);
  const titles = [
    "data set",
    "float %",
    "int8 post %",
    "int8 aware %",
    "int4 post %",
    "int4 aware %",
    "firmware %",
    "host = interpreter",
    "M4 = interpreter",
    "arena B",
    "M4 RAM B",
    "M4 stack B",
    "M4 flash B",
  ];
  const table = renderTable(
    titles.map((title, i) => ({ title, align: i === 0 ? ("left" as const) : ("right" as const) })),
    rows.map((r) => [
      r.name,
      ...[r.float, r.postTraining, r.aware, r.postTrainingFourBits, r.awareFourBits, r.firmware].map(percent),
      `${grouped(r.identical.host)} of ${grouped(r.firmware.count)}`,
      `${r.identical.cortexM4} of 20`,
      ...[r.arenaBytes, r.imageRamBytes, r.stackBytes, r.imageFlashBytes].map(grouped),
    ]),
  );
  const verdict = wrong.length === 0 ? "every target met" : `not met:\n${wrong.map((w) => `  ${w}`).join("\n")}`;
  return {
    text: `${table}\n\nint4: weights; post: post-training quantization; aware: quantization-aware training. Firmware: the integer C from the\nsignal on. The networks are in ${work}.\n${verdict}\n`,
    data: { schemaVersion: 1, rows, shortfalls: wrong },
    exitCode: wrong.length === 0 ? 0 : 1,
  };
}
