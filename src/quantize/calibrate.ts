import { fail } from "../base/diagnostics.js";
import type { TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { Histogram } from "./histogram.js";

/** One input of the network: an array for each of its inputs. */
export type SampleInputs = readonly TensorData[];

/** Runs a graph on samples and shows every float32 value that a node computes. */
export type Execute = (
  graph: Graph,
  samples: Iterable<SampleInputs>,
  show: (tensor: TensorId, data: Float32Array, sample: number) => void,
) => void;

/** With the reference interpreter. */
export const interpret: Execute = (graph, samples, show) => {
  const session = createSession({ main: graph, subgraphs: [] });
  let index = 0;
  for (const inputs of samples) {
    graph.inputs.forEach((id, i) => {
      const data = inputs[i];
      if (data instanceof Float32Array) show(id, data, index);
    });
    session.invoke(inputs, (node, outputs) => {
      node.outputs.forEach((id, i) => {
        const data = outputs[i];
        if (data instanceof Float32Array) show(id, data, index);
      });
    });
    index++;
  }
};

/** Something that is learnt from the values of a graph as they are computed. */
export interface Collector<T> {
  readonly show: (tensor: TensorId, data: Float32Array) => void;
  /** Called once, when all samples have been shown. */
  readonly result: () => T;
}

/** What was seen of each float32 tensor that is computed or given. */
export type Observations = ReadonlyMap<TensorId, Histogram>;

/** See {@link observe}. */
export function histograms(graph: Graph): Collector<Observations> {
  const seen = new Map<TensorId, Histogram>();
  return {
    show: (id, data) => {
      const histogram = seen.get(id) ?? new Histogram();
      seen.set(id, histogram);
      histogram.add(data);
    },
    result: () => {
      if (seen.size === 0)
        fail("TH7003", { where: [graph.name], fix: "give at least one sample; some hundred are better" });
      for (const [id, histogram] of seen) {
        if (histogram.notFinite === 0) continue;
        fail("TH7004", {
          where: [graph.name, tensorName(tensorOf(graph, id))],
          found: `${histogram.notFinite} values that are not finite`,
          fix: "look for NaN in the data, or for a layer that overflows",
        });
      }
      return seen;
    },
  };
}

/** Observes a float graph on samples. Throws TH7003 without samples, TH7004 where a value is not a number. */
export function observe(graph: Graph, samples: Iterable<SampleInputs>, execute: Execute = interpret): Observations {
  const collector = histograms(graph);
  execute(graph, samples, collector.show);
  return collector.result();
}
