import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type ChannelRanges, channelCount } from "../ops/channels.js";
import { columnRanges, hasRanges, wholeRange } from "../ops/common/ranges.js";
import { type Graph, specOf } from "../ops/index.js";

/** Bounds of a constant's channels, or all that the type of anything else holds. */
const ownRanges = (tensor: Tensor): ChannelRanges =>
  tensor.data !== null && tensor.data.length > 0
    ? columnRanges(tensor.data as Int16Array, channelCount(tensor))
    : wholeRange(tensor);

/**
 * Bounds of the stored integers of every int8 and int16 tensor, channel by channel, that hold for every input of the
 * model: an interval analysis (Cousot and Cousot 1977) with the operators' own integer arithmetic.
 */
export function channelRanges(graph: Graph): ReadonlyMap<TensorId, ChannelRanges> {
  const ranges = new Map<TensorId, ChannelRanges>();
  const rangesOf = (tensor: Tensor): ChannelRanges | null => {
    if (!hasRanges(tensor)) return null;
    const found = ranges.get(tensor.id) ?? ownRanges(tensor);
    ranges.set(tensor.id, found);
    return found;
  };
  for (const node of graph.nodes) {
    const spec = specOf(node);
    const view = viewOf(graph, node) as NodeView<object>;
    const inputs = view.inputs.map((t) => (t === null ? null : rangesOf(t)));
    const outputs = spec.ranges === "none" ? null : spec.ranges(view, inputs);
    node.outputs.forEach((id, i) => {
      const tensor = tensorOf(graph, id);
      if (hasRanges(tensor)) ranges.set(id, outputs?.[i] ?? wholeRange(tensor));
    });
  }
  return ranges;
}

/** Channels of the graph's computed tensors that never change. */
export function constantChannels(graph: Graph): number {
  const ranges = channelRanges(graph);
  const constant = ({ low, high }: ChannelRanges): number => low.filter((l, c) => l === high[c]).length;
  const computed = graph.nodes.flatMap((n) => n.outputs);
  return computed.reduce((sum, id) => {
    const found = ranges.get(id);
    return found ? sum + constant(found) : sum;
  }, 0);
}
