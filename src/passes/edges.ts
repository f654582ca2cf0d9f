import type { TensorId } from "../base/units.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph, Node } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { neighbourhood } from "./rewrite.js";

/** What a float input's QUANTIZE reads, if every reader quantizes it the same way. */
function quantizedInput(graph: Graph, input: TensorId): Node | null {
  const readers = neighbourhood(graph).consumers(input);
  const [only] = readers;
  return readers.length === 1 && only?.op === "QUANTIZE" && tensorOf(graph, input).dtype === "float32" ? only : null;
}

/**
 * Drops the QUANTIZE behind a float input and the DEQUANTIZE before a float output, so that the model takes and gives
 * quantized values: the caller then needs a quarter of the bytes, and does the scaling where the data comes from.
 */
export const dropFloatEdges: Pass = {
  name: "drop float edges",
  run: (graph) => {
    const dropped = new Set<Node>();
    const inputs = graph.inputs.map((id): TensorId => {
      const node = graph.outputs.includes(id) ? null : quantizedInput(graph, id);
      const [output] = node?.outputs ?? [];
      if (!node || output === undefined) return id;
      dropped.add(node);
      return output;
    });
    const around = neighbourhood(graph);
    const outputs = graph.outputs.map((id): TensorId => {
      const node = around.producer(id);
      const [source] = node?.inputs ?? [];
      if (node?.op !== "DEQUANTIZE" || source === null || source === undefined || around.consumers(id).length > 0)
        return id;
      const computed = around.producer(source);
      if (computed === undefined || dropped.has(computed)) return id;
      dropped.add(node);
      return source;
    });
    return dropped.size === 0
      ? graph
      : { ...graph, inputs, outputs, nodes: graph.nodes.filter((n) => !dropped.has(n)) };
  },
};
