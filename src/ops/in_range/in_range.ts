import { elementCost } from "../common/cost.js";
import { mapAll } from "../common/lut.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface InRangeAttrs {
  /** Exclusive bounds; null for none. */
  readonly above: number | null;
  readonly below: number | null;
}

/** The derivative of limiting: 1 where an element lies strictly between the bounds, else 0. For training. */
export const inRange = defineOp<"IN_RANGE", InRangeAttrs>({
  name: "IN_RANGE",
  summary: "1 where above < x < below, else 0 (training)",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true },
  tflite: "none",
  infer: (view) => [{ shape: inputOf(view, 0).shape, dtype: "float32", quant: null }],
  reference: (view) => {
    const { above, below } = view.attrs;
    mapAll(view, (x) => ((above === null || x > above) && (below === null || x < below) ? 1 : 0));
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: elementCost(2),
  kernels: [],
  samples: [
    {
      name: "both bounds",
      attrs: { above: -0.5, below: 0.25 },
      inputs: [{ shape: [2, 9], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "positive",
      attrs: { above: 0, below: null },
      inputs: [{ shape: [1, 2, 3, 4], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
