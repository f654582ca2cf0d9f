import { elementsOf } from "../../base/dtype.js";
import { checkConstant, checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface ScatterAddAttrs {
  readonly shape: readonly number[];
}

/**
 * Adds element i of the first input to element `index[i]` of an output that starts as zeros; a negative index drops it.
 * Both sides are counted flat. For training.
 */
export const scatterAdd = defineOp<"SCATTER_ADD", ScatterAddAttrs>({
  name: "SCATTER_ADD",
  summary: "Adds elements up at given places (training)",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view, report) => {
    const [input, index] = [inputOf(view, 0), inputOf(view, 1)];
    if (!checkConstant(view, 1, report)) return null;
    const fits = elementsOf(index.shape) === elementsOf(input.shape);
    const size = elementsOf(view.attrs.shape);
    const inside = (index.data as Int32Array).every((i) => i < size);
    return checkShape(index, fits && inside, `an index below ${size} for each element`, report)
      ? [{ shape: view.attrs.shape, dtype: input.dtype, quant: null }]
      : null;
  },
  reference: (view) => {
    const [input, index, output] = [view.in[0], view.in[1], view.out[0]] as [Float32Array, Int32Array, Float32Array];
    const sums = new Float64Array(output.length);
    index.forEach((to, from) => {
      if (to >= 0) sums[to] = (sums[to] as number) + (input[from] as number);
    });
    output.set(sums);
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: elementCost(1),
  kernels: [],
  samples: [
    {
      name: "several to one, some dropped",
      attrs: { shape: [2, 3] },
      inputs: [
        { shape: [2, 2, 2], dtype: "float32" },
        { shape: [8], dtype: "int32", constant: [0, 5, 5, -1, 2, 0, 0, -1] },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
