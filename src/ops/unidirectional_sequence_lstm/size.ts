import type { NodeView } from "../../ir/graph.js";
import { inputOf, sizeAt } from "../common/view.js";

export interface LstmAttrs {
  /** Input and output are [steps, batch, size]; else [batch, steps, size]. */
  readonly timeMajor: boolean;
  /** Limit of the cell state's magnitude; 0 for none. */
  readonly cellClip: number;
}

/** Where the tensors are; the four gates lie in the order input, forget, cell, output. */
export const at = { input: 0, weights: 1, recurrent: 5, bias: 12, hidden: 18, cell: 19 } as const;

export const gates = [0, 1, 2, 3] as const;

/** Sizes, and the distance in vectors between batches and between steps. */
export function lstmSize(view: NodeView<LstmAttrs>) {
  const { shape } = inputOf(view, at.input);
  const [first, second] = [sizeAt(shape, 0), sizeAt(shape, 1)];
  const sizes = { inputs: sizeAt(shape, 2), units: sizeAt(inputOf(view, at.weights).shape, 0) };
  return view.attrs.timeMajor
    ? { batch: second, steps: first, batchStride: 1, stepStride: second, ...sizes }
    : { batch: first, steps: second, batchStride: second, stepStride: 1, ...sizes };
}
