/**
 * `node dist/bench/properties.js --graphs N [--seed S]`: random graphs planned in layers, in rows, and with a pushed input;
 * compiled in batches under AddressSanitizer and compared with the interpreter bit for bit. Sizes must keep their bounds,
 * and where all ways to cut a graph can be tried, the plan is compared with the best of them. Graphs that fail are kept
 * under out/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { packageRoot } from "../src/base/assets.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { printGraph } from "../src/ir/print.js";
import type { Graph } from "../src/ops/index.js";
import { findTarget } from "../src/verify/targets.js";
import { leastPeak, type PlannedForms, planForms, runForms, sizeProblems } from "../test/plan-checks.js";
import { randomGraph, tinyGraph } from "../test/random-graph.js";

const batchSize = 50;
/** Compilers at work at a time; planning goes on meanwhile. */
const parallel = 2;
/** Graphs of at most so many nodes are cut in all ways: two to the power of this. */
const maxBruteNodes = 6;
/** One graph in so many is a tiny one. */
const tinyEvery = 5;

const { values } = parseArgs({
  options: {
    graphs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    /** Only this graph, as a failure names it. */
    only: { type: "string" },
  },
});
const count = Number(values.graphs);
const seed = Number(values.seed);
const only = values.only === undefined ? null : Number(values.only);
const folder = join(packageRoot, "out");
const host = findTarget("host");
const missing = host.missingTool();
if (missing !== null) throw new DiagnosticError([missing]);

/** Graph i of a seed, whatever the number of graphs; without fast-check's leaning towards small values at the start. */
function graphAt(index: number): Graph {
  const arbitrary = index % tinyEvery === 0 ? tinyGraph : randomGraph;
  return fc.sample(fc.noBias(arbitrary), { numRuns: 1, seed: seed * 1_000_003 + index })[0] as Graph;
}

const failed = new Set<number>();

function fail(index: number, graph: Graph, problems: readonly string[]): void {
  failed.add(index);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `properties-${seed}-${index}.txt`);
  writeFileSync(file, printGraph(graph));
  process.stdout.write(
    `graph ${index}: ${problems.join("; ")}\n  kept as ${file}\n  again: node dist/bench/properties.js --seed ${seed} --only ${index}\n`,
  );
}

const textOf = (error: unknown): string =>
  error instanceof DiagnosticError
    ? error.diagnostics.map((d) => [d.code, ...d.where, d.found].join(" ")).join(", ")
    : String(error);

/** Peaks of one batch, or of all. */
interface Totals {
  graphs: number;
  layers: number;
  rows: number;
  pushed: number;
  smaller: number;
  tried: number;
  above: number;
}

const noTotals = (): Totals => ({ graphs: 0, layers: 0, rows: 0, pushed: 0, smaller: 0, tried: 0, above: 0 });

function add(to: Totals, from: Totals): void {
  for (const key of Object.keys(to) as (keyof Totals)[]) to[key] += from[key];
}

/** Plans a graph and checks its sizes; null if it failed before it can be compiled. */
function check(index: number, totals: Totals): PlannedForms | null {
  const graph = graphAt(index);
  try {
    const planned = planForms(graph);
    const problems = sizeProblems(planned);
    if (problems.length > 0) fail(index, graph, problems);
    const { layers, rows, pushed } = planned.forms;
    totals.graphs++;
    totals.layers += layers.peakBytes;
    totals.rows += rows.peakBytes;
    totals.pushed += pushed.peakBytes;
    if (rows.peakBytes < layers.peakBytes) totals.smaller++;
    if (graph.nodes.length <= maxBruteNodes) {
      for (const [feed, plan] of [["resident", rows] as const, ["pushed", pushed] as const]) {
        totals.tried++;
        if (leastPeak(graph, planned.nodes, feed) < plan.peakBytes) totals.above++;
      }
    }
    return planned;
  } catch (error) {
    fail(index, graph, [textOf(error)]);
    return null;
  }
}

/** Compiles and runs a batch; if the program itself fails, graph by graph, to find out whose fault it is. */
async function compileBatch(batch: readonly (readonly [index: number, planned: PlannedForms])[]): Promise<void> {
  try {
    const problems = await runForms(
      host,
      batch.map(([, planned]) => planned),
    );
    batch.forEach(([index, { graph }], i) => {
      const found = problems[i] ?? [];
      if (found.length > 0) fail(index, graph, found);
    });
  } catch (error) {
    const [first] = batch;
    if (batch.length === 1 && first) fail(first[0], first[1].graph, [textOf(error)]);
    else for (const one of batch) await compileBatch([one]);
  }
}

const percent = (part: number, whole: number): string => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`);
const columns = [7, 14, 10, 10, 9, 10, 8];
const line = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell, i) => String(cell).padStart(columns[i] ?? 0)).join("  ")}\n`;

const totals = noTotals();
const begin = performance.now();
const seconds = (): string => `${((performance.now() - begin) / 1000).toFixed(0)} s`;
process.stdout.write(line(["graphs", "layers, bytes", "rows", "pushed", "smaller", "not least", "time"]));
const indices = only === null ? Array.from({ length: count }, (_, i) => i) : [only];
const busy = new Set<Promise<void>>();
for (let at = 0; at < indices.length; at += batchSize) {
  const mine = noTotals();
  const batch = indices.slice(at, at + batchSize).flatMap((index) => {
    const planned = check(index, mine);
    return planned === null ? [] : [[index, planned] as const];
  });
  add(totals, mine);
  const { layers, rows, pushed, smaller, above } = mine;
  const work = compileBatch(batch).then(() => {
    busy.delete(work);
    const done = Math.min(at + batchSize, indices.length);
    process.stdout.write(
      line([done, layers, percent(rows, layers), percent(pushed, layers), smaller, above, seconds()]),
    );
  });
  busy.add(work);
  while (busy.size >= parallel) await Promise.race(busy);
  // Lets the compilers of this batch start before the next one is planned.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await Promise.all(busy);
process.stdout.write(
  `${indices.length} graphs, ${failed.size} failures; rows need ${percent(totals.rows, totals.layers)} of the layers' bytes, ` +
    `pushed ${percent(totals.pushed, totals.layers)}; ${totals.above} of ${totals.tried} plans are above the least of all cuts; ${seconds()}\n`,
);
process.exitCode = failed.size === 0 ? 0 : 1;
