import { forEachWindow, type PoolGradientAttrs, poolGradientCost } from "../common/pool-gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

/** The gradient of AVERAGE_POOL_2D's input: each output's in equal parts to the elements inside the image. For training. */
export const averagePool2dGradient = defineOp<"AVERAGE_POOL_2D_GRADIENT", PoolGradientAttrs>({
  name: "AVERAGE_POOL_2D_GRADIENT",
  summary: "Gradient of the input of AVERAGE_POOL_2D (training)",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view) => [{ shape: view.attrs.inputShape, dtype: "float32", quant: null }],
  reference: (view) => {
    const [dy, dx] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
    const sums = new Float64Array(dx.length);
    forEachWindow(view.attrs, inputOf(view, 0).shape, (at, window) => {
      for (const i of window) sums[i] = (sums[i] as number) + (dy[at] as number) / window.length;
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
      attrs: { padding: [1, 1, 0, 1], stride: [2, 1], kernel: [3, 2], inputShape: [2, 5, 4, 2] },
      inputs: [{ shape: [2, 3, 4, 2], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "global",
      attrs: { padding: [0, 0, 0, 0], stride: [1, 1], kernel: [5, 4], inputShape: [2, 5, 4, 2] },
      inputs: [{ shape: [2, 1, 1, 2], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
