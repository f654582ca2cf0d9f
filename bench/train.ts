/**
 * `npm run bench -- train [--rounds 16] [--threads 2]`: samples a second of whole training steps of ds-cnn, resnet-8 and
 * mobilenet-v1 0.25, in both lowerings, interleaved with PyTorch's on channels_last tensors; least times, and ratios of
 * neighbours. Beside it the rate of a matrix product, and what share of it the steps reach. Then trainings from image
 * files, and the share of their time in which the runtime computes.
 */
import { parseArgs } from "node:util";
import { renderTable } from "../src/app/report/table.js";
import { type NodeView, viewOf } from "../src/ir/graph.js";
import { type Graph, specOf } from "../src/ops/index.js";
import { blockedLowering } from "../src/train/blocked.js";
import { type Lowering, plainLowering } from "../src/train/lowering.js";
import type { BenchResult } from "./main.js";
import { startTorch, torchVersion } from "./torch.js";
import { hyper, openStep, type TrainCase, trainCases, waveBatch } from "./train-cases.js";
import { type DataRow, leastBusy, measureData } from "./train-data.js";

interface Timed {
  readonly name: string;
  readonly run: (count: number) => Promise<readonly number[]>;
  readonly ms: number[];
}

/** Multiply-accumulates of a step, twice. */
const gflop = (graph: Graph): number =>
  (2 * graph.nodes.reduce((sum, n) => sum + specOf(n).cost(viewOf(graph, n) as NodeView<object>).macs, 0)) / 1e9;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Row {
  readonly name: string;
  readonly batch: number;
  readonly gflop: number;
  readonly sgemm: number | null;
  /** Milliseconds a step by lowering, and PyTorch's. */
  readonly ms: Readonly<Record<string, number>>;
  /** PyTorch's time by the time of each, of steps beside each other; the median. */
  readonly ratios: Readonly<Record<string, number>>;
}

/**
 * Threads that have nothing to do look for work for a while before they sleep (33 ms, the runtime's), in the way of whoever
 * is next.
 */
const threadsAsleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

async function measure(c: TrainCase, lowerings: readonly Lowering[], rounds: number, threads: number): Promise<Row> {
  const timed: Timed[] = [];
  const closing: (() => unknown)[] = [];
  let graph: Graph | null = null;
  let sgemm: number | null = null;
  for (const lowering of lowerings) {
    const open = await openStep(c, lowering, threads);
    graph = open.step.graph;
    timed.push({ name: lowering.name, run: async (n) => (await open.run(n)).ms, ms: [] });
    closing.push(open.backend.close);
  }
  if (torchVersion() !== null) {
    const shape = (await openStepShapes(c)) as Parameters<typeof waveBatch>[0];
    const torch = startTorch({ ...c, ...hyper, ...waveBatch(shape), threads, mode: "fast" });
    timed.push({ name: "pytorch", run: async (n) => (await torch.steps(n)).ms, ms: [] });
    closing.push(torch.close);
    await torch.steps(2);
    sgemm = await torch.sgemm(20);
  }
  for (let round = 0; round < rounds; round++) {
    for (const t of timed) {
      await threadsAsleep();
      // The first of each turn finds caches cold and threads asleep.
      t.ms.push(Math.min(...(await t.run(12)).slice(1)));
    }
  }
  for (const close of closing) await close();
  const torch = timed.find((t) => t.name === "pytorch")?.ms ?? [];
  return {
    name: c.name,
    batch: c.batch,
    gflop: graph === null ? 0 : gflop(graph),
    sgemm,
    ms: Object.fromEntries(timed.map((t) => [t.name, Math.min(...t.ms)])),
    ratios: Object.fromEntries(timed.map((t) => [t.name, median(t.ms.map((ms, i) => (torch[i] ?? Number.NaN) / ms))])),
  };
}

/** The shapes of a case's batch. */
async function openStepShapes(
  c: TrainCase,
): Promise<{ readonly inputShape: readonly number[]; readonly targetShape: readonly number[] }> {
  const shape = (id: number | undefined): readonly number[] =>
    (c.network.tensors.get(id as never)?.shape ?? []).with(0, c.batch);
  return { inputShape: shape(c.network.inputs[0]), targetShape: shape(c.network.outputs[0]) };
}

/** Whether the speeds that are promised hold; only what was measured counts. */
function failures(rows: readonly Row[], targets: ReadonlyMap<string, number>): readonly string[] {
  return rows.flatMap((row) => {
    const { blocked, plain } = row.ms;
    const best = blocked === undefined ? "plain" : "blocked";
    const found: string[] = [];
    const ratio = row.ratios[best] ?? Number.NaN;
    const target = targets.get(row.name) ?? 0;
    if (ratio < target) found.push(`${row.name}: ${ratio.toFixed(2)} of PyTorch's speed, wanted ${target}`);
    if (blocked !== undefined && plain !== undefined && plain > 3 * blocked)
      found.push(`${row.name}: plain forms are ${(plain / blocked).toFixed(1)} times slower`);
    const share = row.sgemm === null ? Number.NaN : row.gflop / ((row.ms[best] ?? Infinity) / 1000) / row.sgemm;
    if (row.name === "resnet-8" && share < 0.5)
      found.push(`${row.name}: ${(100 * share).toFixed(0)}% of the sgemm rate, wanted 50%`);
    return found;
  });
}

export async function trainBench(args: readonly string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string" }, threads: { type: "string" }, only: { type: "string" } },
  });
  const threads = Number(values.threads ?? 2);
  const blocked = await blockedLowering();
  const lowerings = blocked === null ? [plainLowering] : [plainLowering, blocked];
  const rows: Row[] = [];
  const cases = trainCases().filter((c) => values.only === undefined || c.name === values.only);
  for (const c of cases) rows.push(await measure(c, lowerings, Number(values.rounds ?? 16), threads));
  const fed: DataRow[] = [];
  // MobileNet's images have another size than those there are.
  for (const { name } of cases.filter((c) => c.name !== "mobilenet-v1")) {
    const row = await measureData(name, 300, threads);
    if (row !== null) fed.push(row);
  }
  const idle = fed
    .filter((r) => r.busy < leastBusy)
    .map(
      (r) => `${r.name}: the runtime computes ${(100 * r.busy).toFixed(0)}% of the time, wanted ${100 * leastBusy}%`,
    );
  const wrong = [...failures(rows, new Map(cases.map((c) => [c.name, c.target]))), ...idle];
  const cell = (row: Row, name: string): string => {
    const ms = row.ms[name];
    if (ms === undefined) return "-";
    const share = row.sgemm === null ? "" : `, ${((100 * row.gflop) / (ms / 1000) / row.sgemm).toFixed(0)}%`;
    const ratio = name === "pytorch" ? "" : `, x${(row.ratios[name] ?? Number.NaN).toFixed(2)}`;
    return `${ms.toFixed(1)} ms, ${((1000 * row.batch) / ms).toFixed(0)}/s${share}${ratio}`;
  };
  const names = ["blocked", "plain", "pytorch"];
  const table = renderTable(
    ["network", "GFLOP", "sgemm GFLOP/s", ...names].map((title) => ({ title, align: "left" as const })),
    rows.map((r) => [
      `${r.name}, b${r.batch}`,
      r.gflop.toFixed(2),
      r.sgemm?.toFixed(0) ?? "-",
      ...names.map((n) => cell(r, n)),
    ]),
  );
  const fedTable = renderTable(
    ["from files", "samples/s", "runtime computes", "no batch waited for"].map((title) => ({ title, align: "left" })),
    fed.map((r) => [
      r.name,
      ...[r.samplesPerSecond.toFixed(0), `${(100 * r.busy).toFixed(1)}%`, `${(100 * r.dataBusy).toFixed(1)}%`],
    ]),
  );
  const images =
    fed.length > 0
      ? `\n${fedTable}\nimages of ${fed[0]?.folder}, shifted and mirrored\n`
      : "\nno images: nothing was trained from files\n";
  const text = `${table}\nPyTorch ${torchVersion() ?? "not installed"}; ${threads} threads; share of the sgemm rate; times PyTorch's speed\n${images}${wrong.map((w) => `MISSED ${w}\n`).join("")}`;
  return { text, data: { threads, torch: torchVersion(), rows, fed, wrong }, exitCode: wrong.length > 0 ? 1 : 0 };
}
