import type { NodeView, Tensor } from "../ir/graph.js";

/**
 * Inclusive bounds of the stored integers of an int8 or int16 tensor, for each index along its last axis: its channels. A
 * scalar has one channel.
 */
export interface ChannelRanges {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

/**
 * How bounds pass through an operator: from those of its inputs, constants included (null for other element types), to
 * those of its outputs. Null, for one output or for all, says no more than the element type does.
 */
export type RangesOf<A> = (
  view: NodeView<A>,
  inputs: readonly (ChannelRanges | null)[],
) => readonly (ChannelRanges | null)[] | null;

/**
 * Channels of an input and of an output that must go or stay together: channel `from + i` of the input, and the `fanOut`
 * channels of the output from `to + i * fanOut`, for 0 <= i < count.
 */
export interface ChannelTie {
  readonly input: number;
  readonly output: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly fanOut: number;
}

/** Which channels of a node's tensors stay, ascending. */
export interface KeptChannels {
  /** Null for constant and omitted inputs, which the operator cuts itself. */
  readonly inputs: readonly (readonly number[] | null)[];
  readonly outputs: readonly (readonly number[])[];
  /** What a removed channel of an input that is mixed always holds. */
  readonly value: (input: number, channel: number) => number;
}

/** What changes in a node besides the shapes of its tensors: constant inputs, null to omit one, and attributes. */
export interface NodeCut<A> {
  readonly inputs: ReadonlyMap<number, Omit<Tensor, "id"> | null>;
  readonly attrs?: A;
}

/** How the channels of a node's tensors hang together, and what the node is without some of them. */
export interface ChannelRule<A> {
  readonly ties: readonly ChannelTie[];
  /** Inputs whose channels all outputs read: one that never changes may go if what it adds can be folded. */
  readonly mixes: readonly number[];
  /** True if a channel of a mixed input that always holds `value` can be left out. */
  readonly folds: (input: number, channel: number, value: number) => boolean;
  /** The node with only these channels, which respect the ties; null if it cannot be expressed. */
  readonly cut: (kept: KeptChannels) => NodeCut<A> | null;
}

/** The rule of a node; null where none of its channels can be removed. */
export type ChannelsOf<A> = (view: NodeView<A>) => ChannelRule<A> | null;

/** Indices along the last axis. */
export const channelCount = (tensor: Tensor): number => tensor.shape.at(-1) ?? 1;
