import { forEachWindow, type PoolGradientAttrs, poolGradientCost } from "../common/pool-gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

/** The gradient of MAX_POOL_2D's input: each output's goes to the first largest element of its window. For training. */
export const maxPool2dGradient = defineOp<"MAX_POOL_2D_GRADIENT", PoolGradientAttrs>({
  name: "MAX_POOL_2D_GRADIENT",
  summary: "Gradient of the input of MAX_POOL_2D (training)",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view) => [{ shape: view.attrs.inputShape, dtype: "float32", quant: null }],
  reference: (view) => {
    const [dy, x, dx] = [view.in[0], view.in[1], view.out[0]] as [Float32Array, Float32Array, Float32Array];
    const sums = new Float64Array(dx.length);
    forEachWindow(view.attrs, inputOf(view, 0).shape, (at, window) => {
      const [first = 0] = window;
      const largest = window.reduce((best, i) => ((x[i] as number) > (x[best] as number) ? i : best), first);
      sums[largest] = (sums[largest] as number) + (dy[at] as number);
    });
    dx.set(sums);
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: poolGradientCost,
  kernels: [],
  samples: [
    {
      name: "windows that overlap",
      attrs: { padding: [0, 1, 0, 1], stride: [2, 2], kernel: [3, 3], inputShape: [2, 6, 4, 2] },
      inputs: [
        { shape: [2, 3, 2, 2], dtype: "float32" },
        { shape: [2, 6, 4, 2], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
