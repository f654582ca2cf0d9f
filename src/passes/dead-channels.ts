import { bytesOf, elementsOf } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type ChannelRanges, channelCount, type NodeCut } from "../ops/channels.js";
import { sliceQuantization } from "../ops/common/channels.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import { channelClasses, neededClasses, type RuledNode, ruledNodes } from "./channel-classes.js";
import type { Pass } from "./pass.js";
import { channelRanges } from "./ranges.js";

/** The channels that stay of each tensor that loses some. */
type Kept = ReadonlyMap<TensorId, readonly number[]>;

const allChannels = (t: Tensor): readonly number[] => Array.from({ length: channelCount(t) }, (_, c) => c);

/** What a node is with the channels that stay; null if it cannot be that. */
function cutNode({ view, rule }: RuledNode, kept: Kept, ranges: ReadonlyMap<TensorId, ChannelRanges>) {
  const channels = (t: Tensor): readonly number[] => kept.get(t.id) ?? allChannels(t);
  return (
    rule?.cut({
      inputs: view.inputs.map((t) => (t === null || t.data !== null ? null : channels(t))),
      outputs: view.outputs.map(channels),
      value: (input, channel) => ranges.get(view.inputs[input]?.id as TensorId)?.low[channel] ?? 0,
    }) ?? null
  );
}

const touches = ({ node }: RuledNode, kept: Kept): boolean =>
  [...node.inputs, ...node.outputs].some((id) => id !== null && kept.has(id));

/** What stays and how nodes change: nodes that turn out not to be expressible keep all their channels. */
function removal(graph: Graph): { readonly kept: Kept; readonly cuts: ReadonlyMap<Node, NodeCut<object>> } {
  const ranges = channelRanges(graph);
  const nodes = ruledNodes(graph);
  const classes = channelClasses(graph, nodes);
  const whole = new Set<Node>();
  for (;;) {
    const needed = neededClasses(graph, nodes, classes, ranges, whole);
    const kept = new Map(
      classes.tensors.flatMap((t): (readonly [TensorId, readonly number[]])[] => {
        const channels = allChannels(t).filter((c) => needed.has(classes.classOf(t.id, c)));
        return channels.length === channelCount(t) ? [] : [[t.id, channels]];
      }),
    );
    const cuts = new Map<Node, NodeCut<object>>();
    const before = whole.size;
    for (const n of nodes.filter((ruled) => touches(ruled, kept))) {
      const cut = cutNode(n, kept, ranges);
      if (cut === null) whole.add(n.node);
      else cuts.set(n.node, cut);
    }
    if (whole.size === before) return { kept, cuts };
  }
}

/** A tensor with the given channels only. */
const cutTensor = (t: Tensor, channels: readonly number[]): Tensor => ({
  ...t,
  shape: t.shape.with(-1, channels.length),
  quant: sliceQuantization(t.quant, t.shape.length - 1, channels),
});

/**
 * Removes channels that cannot change what the model computes: those that hold one value for every input, mostly because an
 * activation clamps all that their sums can be, and those that only such ones are computed from. Readers fold the value into
 * their biases. Outputs stay the same to the bit.
 */
export const removeDeadChannels: Pass = {
  name: "remove dead channels",
  run: (graph) => {
    const { kept, cuts } = removal(graph);
    if (kept.size === 0) return graph;
    const tensors = new Map(graph.tensors);
    for (const [id, channels] of kept) tensors.set(id, cutTensor(tensorOf(graph, id), channels));
    let next = Math.max(...graph.tensors.keys()) + 1;
    const add = (tensor: Omit<Tensor, "id"> | null): TensorId | null => {
      if (tensor === null) return null;
      const id = tensorId(next++);
      tensors.set(id, { ...tensor, id });
      return id;
    };
    const nodes = graph.nodes.map((node): Node => {
      const cut = cuts.get(node);
      if (cut === undefined) return node;
      const inputs: (TensorId | null)[] = [...node.inputs];
      for (const [index, constant] of cut.inputs) {
        while (inputs.length < index) inputs.push(null);
        inputs[index] = add(constant);
      }
      return { ...node, inputs, attrs: cut.attrs ?? node.attrs } as Node;
    });
    return { ...graph, tensors, nodes };
  },
};

/** What the removal of dead channels saves. */
export interface RemovedChannels {
  /** Channels of tensors that nodes compute. */
  readonly channels: number;
  readonly macs: number;
  readonly weightsBytes: number;
  /** The tensors that lost channels, by the name of the layer that computes them. */
  readonly layers: readonly { readonly name: string; readonly op: string; readonly channels: number }[];
}

/** Multiply-accumulates of a graph, and bytes of its weights and biases. */
function sizeOf(graph: Graph): { readonly macs: number; readonly weightsBytes: number } {
  const constants = new Set(graph.nodes.flatMap((n) => n.inputs).filter((id) => id !== null));
  const learned = [...constants]
    .map((id) => tensorOf(graph, id))
    .filter((t) => t.data !== null && (t.quant !== null || t.dtype === "float32"));
  return {
    macs: graph.nodes.reduce((sum, node) => sum + specOf(node).cost(viewOf(graph, node) as never).macs, 0),
    weightsBytes: learned.reduce((sum, t) => sum + bytesOf(t.dtype, elementsOf(t.shape)), 0),
  };
}

/** How a graph differs from what it was before its dead channels were removed. */
export function removedChannels(before: Graph, after: Graph): RemovedChannels {
  const [was, is] = [sizeOf(before), sizeOf(after)];
  const layers = after.nodes.flatMap((node) =>
    node.outputs.flatMap((id) => {
      const [old, left] = [before.tensors.get(id), tensorOf(after, id)];
      const channels = old ? channelCount(old) - channelCount(left) : 0;
      return channels > 0 ? [{ name: left.name, op: node.op, channels }] : [];
    }),
  );
  return {
    channels: layers.reduce((sum, l) => sum + l.channels, 0),
    macs: was.macs - is.macs,
    weightsBytes: was.weightsBytes - is.weightsBytes,
    layers,
  };
}
