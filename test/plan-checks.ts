import { toBytes } from "../src/base/dtype.js";
import { type GeneratedModel, generateModel } from "../src/codegen/model.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Graph } from "../src/ops/index.js";
import type { Isa } from "../src/ops/isa.js";
import { type LoweredNode, lower } from "../src/ops/lower.js";
import { groupOf } from "../src/plan/groups.js";
import type { Feed, Plan } from "../src/plan/plan.js";
import { planGroups, planLayers, planRows } from "../src/plan/planner.js";
import type { Range } from "../src/plan/sharing.js";
import { networkOf } from "../src/plan/units.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import type { Program, RunRequest, RunResult, Target } from "../src/verify/target.js";

/** A graph planned in every way there is; each planner verifies its plan by replay, and throws. */
export interface PlannedForms {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly forms: Readonly<Record<"layers" | "rows" | "pushed" | "pushedLayers", Plan>>;
}

/** `planRows` without a budget always finds a plan. */
export function rowsPlan(graph: Graph, nodes: readonly LoweredNode[], feed: Feed): Plan {
  const plan = planRows(graph, nodes, feed);
  if (plan === null) throw new Error("no plan without a budget");
  return plan;
}

export function planForms(graph: Graph, isa: Isa = "portable"): PlannedForms {
  const nodes = lower(graph, { isa });
  const forms = {
    layers: planLayers(graph, nodes),
    rows: rowsPlan(graph, nodes, "resident"),
    pushedLayers: planLayers(graph, nodes, { feed: "pushed" }),
    pushed: rowsPlan(graph, nodes, "pushed"),
  };
  return { graph, nodes, forms };
}

/** Every way to cut a line of `count` units into ranges. */
function* cutsOf(count: number, first = 0): Generator<readonly Range[]> {
  if (first === count) yield [];
  for (let end = first + 1; end <= count; end++) for (const rest of cutsOf(count, end)) yield [{ first, end }, ...rest];
}

/** The least peak over all ways to cut the graph into groups that can stream. */
export function leastPeak(graph: Graph, nodes: readonly LoweredNode[], feed: Feed): number {
  const network = networkOf(graph, nodes, feed, "share");
  const streams = new Map<string, boolean>();
  const canStream = (range: Range): boolean => {
    const key = `${range.first} ${range.end}`;
    const known = streams.get(key) ?? groupOf(network, range) !== null;
    streams.set(key, known);
    return known;
  };
  let least = Infinity;
  for (const ranges of cutsOf(network.units.length)) {
    if (ranges.every(canStream)) least = Math.min(least, planGroups(graph, nodes, ranges, feed).peakBytes);
  }
  return least;
}

/** What is wrong with the sizes of a graph's plans. */
export function sizeProblems({ forms }: PlannedForms): readonly string[] {
  const below = Object.entries(forms).flatMap(([form, { peakBytes, liveBytes }]) => {
    const live = Math.max(0, ...liveBytes);
    return peakBytes < live ? [`${form}: peak of ${peakBytes} below ${live} live bytes`] : [];
  });
  const pairs = [
    ["rows", "layers"],
    ["pushed", "pushedLayers"],
  ] as const;
  const above = pairs.flatMap(([rows, layers]) => {
    const [found, limit] = [forms[rows].peakBytes, forms[layers].peakBytes];
    return found > limit ? [`${rows} need ${found} bytes, ${layers} ${limit}`] : [];
  });
  return [...below, ...above];
}

/** The forms of a plan that differ in what is compiled. */
export const compiledForms = ["layers", "rows", "pushed"] as const;

/** The C of a graph's forms, one model for each. */
export const generateForms = ({ graph, nodes, forms }: PlannedForms, name: string): readonly GeneratedModel[] =>
  compiledForms.map((form) =>
    generateModel({ name: `${name}_${form}`, graph, nodes, plan: forms[form], sha256: "0", commandLine: "test" }),
  );

/** Runs of a graph's forms, as models `first` and up: each twice, as the second finds the bytes that the first left. */
export function requestsOf(graph: Graph, first: number): readonly RunRequest[] {
  const data = [1, 2].map((run) =>
    testInputs(graph, run).map((d, i) => toBytes(tensorOf(graph, graph.inputs[i] as never).dtype, d)),
  );
  return compiledForms.flatMap((_, form) =>
    data.map((inputs, run): RunRequest => ({ model: first + form, inputs, ...(run > 0 ? { keepState: true } : {}) })),
  );
}

/** Where the results of `requestsOf` are not the interpreter's. */
export function resultProblems(graph: Graph, results: readonly RunResult[]): readonly string[] {
  const session = createSession({ main: graph, subgraphs: [] });
  const expected = [1, 2].map((run) => session.invoke(testInputs(graph, run)));
  return compiledForms.flatMap((form, f) =>
    expected.flatMap((outputs, run) => {
      const result = results[f * expected.length + run];
      const where = `${form}, run ${run}`;
      if (result === undefined) return [`${where}: no result`];
      const wrong = outputs.flatMap((want, i) => {
        const bytes = toBytes(tensorOf(graph, graph.outputs[i] as never).dtype, want);
        const same = Buffer.compare(result.outputs[i] ?? new Uint8Array(0), bytes) === 0;
        return same ? [] : [`${where}: output ${i} differs`];
      });
      return result.canariesIntact ? wrong : [...wrong, `${where}: wrote outside its buffers`];
    }),
  );
}

/**
 * A program of many models as one translation unit, so that the kernels they share are compiled once. Generated names
 * start with the model's, and kernels are guarded by their headers.
 */
export function programOfAll(models: readonly GeneratedModel[]): Program {
  const files = new Map<string, string>();
  for (const { files: own } of models) for (const [path, text] of own) files.set(path.replace(/\.c$/, ".inc"), text);
  files.set("all.c", models.map(({ name }) => `#include "${name}.inc"\n`).join(""));
  return { files, models: models.map((m) => ({ name: m.name, ...m.layout })) };
}

/** Compiles the forms of all graphs into one program, runs them, and says for each graph what is wrong. */
export async function runForms(
  target: Target,
  planned: readonly PlannedForms[],
): Promise<readonly (readonly string[])[]> {
  const models = planned.flatMap((p, i) => generateForms(p, `g${i}`));
  const requests = planned.flatMap(({ graph }, i) => requestsOf(graph, i * compiledForms.length));
  const { runs } = await target.run(programOfAll(models), requests, {});
  const each = requests.length / Math.max(planned.length, 1);
  return planned.map(({ graph }, i) => resultProblems(graph, runs.slice(i * each, (i + 1) * each)));
}
