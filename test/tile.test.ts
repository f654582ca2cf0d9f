import { describe, expect, it } from "vitest";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { DiagnosticSink } from "../src/base/diagnostics.js";
import { viewOf } from "../src/ir/graph.js";
import { checkGraph } from "../src/ops/check-graph.js";
import { type Graph, specOf } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import { dropFloatEdges } from "../src/passes/edges.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { tileColumns } from "../src/passes/tile.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";
import { planForms, runForms } from "./plan-checks.js";

const missing = modelsMissing();

const macs = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => sum + specOf(node).cost(viewOf(graph, node) as never).macs, 0);

/** Segments of real networks: convolutions of all kinds, strides, pools, residuals that cross several nodes. */
type Case = readonly [model: string, first: number, end: number, strips: number];

const cases: readonly Case[] = [
  ["vww96", 0, 5, 2],
  ["vww96", 1, 9, 3],
  ["person_detect", 0, 8, 4],
  ["resnet", 0, 4, 2],
  ["resnet", 1, 8, 3],
  ["mcunet_vww1", 0, 10, 5],
  ["kws", 0, 9, 2],
];

describe.skipIf(missing !== null)(`columns of real networks${missing === null ? "" : `: ${missing}`}`, () => {
  const tiled = ([name, first, end, tiles]: Case): readonly [Graph, Graph] => {
    const model = loadModel(name);
    const main = dropFloatEdges.run(model.main, { subgraphs: model.subgraphs });
    const graph = runPipeline({ ...model, main });
    const cut = tileColumns(graph, { first, end }, tiles);
    if (cut === null) throw new Error(`${name}: nodes ${first} to ${end - 1} cannot be cut`);
    return [graph, cut];
  };

  it.each(cases)("%s, nodes %i to %i in %i strips: a sound graph, the same outputs, some work twice", (...c) => {
    const [graph, cut] = tiled(c);
    const sink = new DiagnosticSink();
    checkGraph(cut, sink, ["tiled"]);
    expect(sink.all).toEqual([]);
    const run = (g: Graph) => createSession({ main: g, subgraphs: [] }).invoke(testInputs(graph, 1));
    expect(run(cut)).toEqual(run(graph));
    expect(macs(cut)).toBeGreaterThan(macs(graph));
    // Slices and the join have nothing to do, but for slices of slices.
    const idle = lower(cut)[0]?.placements.idle.size ?? 0;
    expect(idle).toBeGreaterThan(0);
  });

  const host = findTarget("host");
  it.skipIf(host.missingTool() !== null)("give the interpreter's bytes when compiled", async () => {
    const small = cases.filter(([name]) => name === "kws" || name === "resnet");
    const problems = await runForms(
      host,
      small.map((c) => planForms(tiled(c)[1])),
    );
    expect(problems.flat()).toEqual([]);
  });
});

describe("what cannot be cut", () => {
  it.skipIf(missing !== null)("a segment whose inner tensors are seen outside, or with a head", () => {
    const graph = runPipeline(loadModel("resnet"));
    expect(tileColumns(graph, { first: 0, end: 2 }, 2)).toBeNull();
    expect(tileColumns(graph, { first: 0, end: graph.nodes.length }, 2)).toBeNull();
  });
});
