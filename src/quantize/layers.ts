import type { NodeView, Tensor } from "../ir/graph.js";
import { viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { WindowAxis } from "../ops/spec.js";

/**
 * An operator's sums as rows of a matrix: output channel o is the product of `taps * depth` weights with as many inputs,
 * `depth` channels from `firstChannel(o)` on of each pixel of a window.
 */
export interface LayerSums {
  readonly input: Tensor;
  readonly weights: Tensor;
  readonly channels: number;
  readonly depth: number;
  readonly taps: number;
  /** Null where a layer has no window: each row of input channels is one. */
  readonly window: { readonly rows: WindowAxis; readonly columns: WindowAxis } | null;
  readonly firstChannel: (output: number) => number;
  /** The place of weight `i`, counted tap by tap, of an output channel. */
  readonly weightAt: (output: number, i: number) => number;
}

/** The sums of a node with constant weights, or null where it has none that are laid out so. */
export function layerSums(graph: Graph, node: Node): LayerSums | null {
  const { traits } = specOf(node);
  if (traits.sums === "none") return null;
  const view = viewOf(graph, node) as NodeView<never>;
  const [input, weights] = [view.inputs[traits.sums.input], view.inputs[traits.sums.weights]];
  if (!input || !weights?.data) return null;
  const { channelAxis } = traits.sums;
  const window = traits.window === "none" ? null : traits.window(view);
  const isFlat = window === null && weights.shape.length === 2 && channelAxis === 0;
  if (!isFlat && window === null) return null;
  const channels = weights.shape[channelAxis] ?? 1;
  const isDepthwise = channelAxis !== 0;
  const depth = isDepthwise ? 1 : (weights.shape.at(-1) ?? 1);
  const taps = window === null ? 1 : window.rows.taps * window.columns.taps;
  const inputChannels = isFlat ? depth : (input.shape.at(-1) ?? 1);
  const perGroup = isDepthwise ? channels / inputChannels : (channels * depth) / inputChannels;
  return {
    input,
    weights,
    channels,
    depth,
    taps,
    window,
    firstChannel: (o) => Math.floor(o / perGroup) * depth,
    weightAt: (o, i) => (isDepthwise ? i * channels + o : o * taps * depth + i),
  };
}
