import { broadcastShape, forEachPair } from "../common/broadcast.js";
import { checkShape } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { only, sumTo } from "../common/gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface BroadcastAttrs {
  readonly shape: readonly number[];
}

/** Repeats axes of one element by numpy's rules. For training. */
export const broadcast = defineOp<"BROADCAST", BroadcastAttrs>({
  name: "BROADCAST",
  summary: "Repeats elements along axes of size 1 (training)",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const { shape } = view.attrs;
    const fits = broadcastShape(input.shape, shape)?.join() === shape.join();
    return checkShape(input, fits, `a shape that broadcasts to [${shape.join(", ")}]`, report)
      ? [{ shape, dtype: input.dtype, quant: null }]
      : null;
  },
  reference: (view) => {
    const [input, output] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
    const { shape } = view.attrs;
    forEachPair(inputOf(view, 0).shape, shape, shape, (at, from) => {
      output[at] = input[from] as number;
    });
  },
  gradient: (view, upstream, e) => [sumTo(e, only(upstream), inputOf(view, 0).shape)],
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: [],
  samples: [
    {
      name: "a channel's value for a picture",
      attrs: { shape: [2, 3, 4, 5] },
      inputs: [{ shape: [2, 1, 1, 5], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "new axes",
      attrs: { shape: [2, 3, 4] },
      inputs: [{ shape: [3, 1], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
