import type { Tensor } from "../ir/graph.js";
import type { LoweredNode } from "../ops/lower.js";
import { mayAlias, tensorBytes } from "./tensors.js";

/** Rows of one image: what a window along axis 1 moves over. */
const isImage = (t: Tensor): boolean => t.shape.length === 4 && t.shape[0] === 1;

const sameShape = (a: Tensor, b: Tensor): boolean =>
  a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);

/**
 * The first row of input `index` that may still be read while output row `row` is written, or null if the kernel may read
 * any of it at any time.
 */
export function firstRowNeeded(lowered: LoweredNode, index: number): ((row: number) => number) | null {
  const { spec, view, kernel } = lowered;
  const input = view.inputs[index];
  const output = view.outputs[0];
  if (kernel.rowOrder !== "ascending" || spec.traits.rows === "none" || !input || !output || view.outputs.length !== 1)
    return null;
  if (!isImage(input) || !isImage(output)) return null;
  // A window is over the first input; an elementwise operator moves over every input of the output's shape.
  if (spec.traits.elementwise ? !sameShape(input, output) : index !== 0) return null;
  const window = spec.traits.rows(view);
  if (window === "none") return null;
  return (row) => Math.max(0, row * window.stride - window.padBefore);
}

/**
 * How far below the start of a dying input the output may start, in bytes, so that every output row lies below the
 * input rows that are still to be read: overlapping them needs so much more memory than the input alone. Null where no
 * overlap is proven. This is the general form of in-place depthwise and of the overlapped pointwise convolution of
 * Zheng et al., "vMCU" (MLSys 2024).
 */
export function overlapDistance(lowered: LoweredNode, index: number): number | null {
  const input = lowered.view.inputs[index];
  const output = lowered.view.outputs[0];
  const first = firstRowNeeded(lowered, index);
  if (!input || !output || first === null || !mayAlias(input, output)) return null;
  const inputRowBytes = tensorBytes(input) / (input.shape[1] ?? 1);
  const rows = output.shape[1] ?? 1;
  const outputRowBytes = tensorBytes(output) / rows;
  let distance = 0;
  for (let row = 0; row < rows; row++)
    distance = Math.max(distance, (row + 1) * outputRowBytes - first(row) * inputRowBytes);
  return distance;
}
