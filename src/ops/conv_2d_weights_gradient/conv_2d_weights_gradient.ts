import { elementsOf } from "../../base/dtype.js";
import { type ConvGradientAttrs, forEachProduct, productsOf } from "../common/conv-gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface ConvWeightsGradientAttrs extends ConvGradientAttrs {
  readonly weightsShape: readonly number[];
}

const attrs = { padding: [1, 0, 0, 1], stride: [2, 1], dilation: [1, 1] } as const;

/** The gradient of a convolution's weights, from that of its output and the input. For training. */
export const conv2dWeightsGradient = defineOp<"CONV_2D_WEIGHTS_GRADIENT", ConvWeightsGradientAttrs>({
  name: "CONV_2D_WEIGHTS_GRADIENT",
  summary: "Gradient of the weights of CONV_2D and DEPTHWISE_CONV_2D (training)",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view) => [{ shape: view.attrs.weightsShape, dtype: "float32", quant: null }],
  reference: (view) => {
    const [dy, x, dw] = [view.in[0], view.in[1], view.out[0]] as [Float32Array, Float32Array, Float32Array];
    const g = productsOf(view.attrs, inputOf(view, 1).shape, view.attrs.weightsShape, inputOf(view, 0).shape);
    const sums = new Float64Array(dw.length);
    forEachProduct(view.attrs, g, (y, from, k) => {
      for (let c = 0; c < g.depth; c++)
        sums[k + c] = (sums[k + c] as number) + (dy[y] as number) * (x[from + c] as number);
    });
    dw.set(sums);
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const { weights, weightsShape } = view.attrs;
    const [, kh = 0, kw = 0, last = 0] = weightsShape;
    return { macs: elementsOf(inputOf(view, 0).shape) * kh * kw * (weights === "OHWI" ? last : 1), operations: 0 };
  },
  kernels: [],
  samples: [
    {
      name: "groups",
      attrs: { ...attrs, weights: "OHWI", weightsShape: [6, 3, 3, 2] },
      inputs: [
        { shape: [2, 2, 3, 6], dtype: "float32" },
        { shape: [2, 5, 4, 4], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "depthwise",
      attrs: { ...attrs, weights: "1HWO", weightsShape: [1, 3, 3, 6] },
      inputs: [
        { shape: [2, 2, 3, 6], dtype: "float32" },
        { shape: [2, 5, 4, 3], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
