import { present } from "../base/assert.js";
import { tensorOf } from "../ir/graph.js";
import { graphEmitter } from "../ops/emitter.js";
import type { Graph } from "../ops/index.js";
import { prepared } from "./prepare.js";
import type { StepOptions } from "./step.js";
import { emitUnpacked } from "./vectors.js";

/** Inference of a batch with the flat vectors of a step: inputs are the network's, `weights` and `statistics`. */
export function evaluationGraph(
  network: Graph,
  batch: number,
  options: Pick<StepOptions, "frozen" | "storage" | "loss">,
): Graph {
  const { graph, parameters } = prepared(network, batch, options);
  const e = graphEmitter(graph);
  const weights = e.input("weights", [parameters.weightCount]);
  const inputs = [present(graph.inputs[0], "input"), weights.id];
  emitUnpacked(e, weights, parameters.weights);
  if (parameters.statistics.length > 0) {
    const statistics = e.input("statistics", [parameters.statisticCount]);
    emitUnpacked(e, statistics, parameters.statistics);
    inputs.push(statistics.id);
  }
  e.append(graph.nodes, []);
  const y = tensorOf(graph, present(graph.outputs[0], "output"));
  const copy = present(e.node("RESHAPE", [y], { shape: y.shape })[0], "copy");
  e.append([], [{ ...copy, name: "output" }]);
  return {
    name: `${graph.name}_evaluation`,
    tensors: e.tensors(),
    nodes: e.nodes(),
    inputs,
    outputs: [copy.id],
    variables: [],
  };
}
