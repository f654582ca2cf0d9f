import { elementsOf } from "../base/dtype.js";
import type { LoweredNode } from "../ops/lower.js";
import type { KernelCall } from "../ops/spec.js";

/** What a kernel's time depends on. Each is a count for one inference; a kernel's cycles are a weighted sum of them. */
export const featureNames = [
  "macs",
  "leftover",
  "operations",
  "gathered",
  "outputs",
  "inputs",
  "calls",
  "fetched",
  "multiplied",
  "blocks",
] as const;
export type FeatureName = (typeof featureNames)[number];
export type Features = Readonly<Record<FeatureName, number>>;

/** Kernels compute so many pixels together. */
const blockPixels = 4;

/** Of the multiply-accumulates, those that a last block of pixels lacks to be a full one. */
function leftoverMacs(macs: number, pixels: number): number {
  const n = Math.max(pixels, 1);
  return macs * ((Math.ceil(n / blockPixels) * blockPixels) / n - 1);
}

const noBlocks = { count: 0, words: 0 };

/** The call that computes a node: for each row, or for everything where there is one. */
export const callMade = ({ whole, rows }: LoweredNode, byRows: boolean): KernelCall | null =>
  (byRows ? rows?.call : null) ?? whole ?? rows?.call ?? null;

/**
 * The features of a node.
 * @param byRows a call computes one row; false where one call computes everything
 */
export function featuresOf(node: LoweredNode, byRows = node.whole === null): Features {
  const { spec, view, rows } = node;
  const cost = spec.cost(view);
  const output = view.outputs[0];
  const outputs = view.outputs.reduce((sum, t) => sum + elementsOf(t.shape), 0);
  const channels = Math.max(output?.shape.at(-1) ?? 1, 1);
  const calls = byRows && rows !== null ? rows.count * rows.images : 1;
  const blocks = callMade(node, byRows)?.blocks;
  const { count, words } = blocks ?? noBlocks;
  const macsOfPixel = outputs > 0 ? (cost.macs * channels) / outputs : 0;
  return {
    macs: cost.macs,
    // Kernels that say which blocks they compute need no guess.
    leftover: blocks === undefined ? leftoverMacs(cost.macs, outputs / channels / calls) : 0,
    operations: cost.operations,
    // Inputs that a kernel brings into its own form once for all output channels.
    gathered: cost.macs / channels,
    outputs,
    inputs: elementsOf(view.inputs[0]?.shape ?? []),
    calls,
    fetched: calls * count * macsOfPixel,
    multiplied: calls * words * macsOfPixel,
    blocks: calls * count * channels,
  };
}
