import { elementsOf } from "../../base/dtype.js";
import { type ConvGradientAttrs, forEachProduct, productsOf } from "../common/conv-gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface ConvInputGradientAttrs extends ConvGradientAttrs {
  readonly inputShape: readonly number[];
}

const attrs = { padding: [1, 0, 0, 1], stride: [2, 1], dilation: [1, 1] } as const;

/** The gradient of a convolution's input, from that of its output and the weights. For training. */
export const conv2dInputGradient = defineOp<"CONV_2D_INPUT_GRADIENT", ConvInputGradientAttrs>({
  name: "CONV_2D_INPUT_GRADIENT",
  summary: "Gradient of the input of CONV_2D and DEPTHWISE_CONV_2D (training)",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view) => [{ shape: view.attrs.inputShape, dtype: "float32", quant: null }],
  reference: (view) => {
    const [dy, w, dx] = [view.in[0], view.in[1], view.out[0]] as [Float32Array, Float32Array, Float32Array];
    const g = productsOf(view.attrs, view.attrs.inputShape, inputOf(view, 1).shape, inputOf(view, 0).shape);
    const sums = new Float64Array(dx.length);
    forEachProduct(view.attrs, g, (y, x, k) => {
      for (let c = 0; c < g.depth; c++)
        sums[x + c] = (sums[x + c] as number) + (dy[y] as number) * (w[k + c] as number);
    });
    dx.set(sums);
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const { weights } = view.attrs;
    const [, kh = 0, kw = 0, last = 0] = inputOf(view, 1).shape;
    return { macs: elementsOf(inputOf(view, 0).shape) * kh * kw * (weights === "OHWI" ? last : 1), operations: 0 };
  },
  kernels: [],
  samples: [
    {
      name: "groups",
      attrs: { ...attrs, weights: "OHWI", inputShape: [2, 5, 4, 4] },
      inputs: [
        { shape: [2, 2, 3, 6], dtype: "float32" },
        { shape: [6, 3, 3, 2], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "depthwise",
      attrs: { ...attrs, weights: "1HWO", inputShape: [2, 5, 4, 3] },
      inputs: [
        { shape: [2, 2, 3, 6], dtype: "float32" },
        { shape: [1, 3, 3, 6], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
