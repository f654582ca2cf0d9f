import { elementCost } from "../common/cost.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface BatchNormalizationGradientAttrs {
  readonly epsilon: number;
}

/**
 * Gradients of x, gamma and beta of BATCH_NORMALIZATION_TRAINING, from that of its output, x, gamma, and the batch's mean
 * and variance. With n elements to a channel and h the normalized x: dx = gamma / sqrt(variance + epsilon) *
 * (dy - mean(dy) - h mean(dy h)). For training.
 */
export const batchNormalizationGradient = defineOp<"BATCH_NORMALIZATION_GRADIENT", BatchNormalizationGradientAttrs>({
  name: "BATCH_NORMALIZATION_GRADIENT",
  summary: "Gradients of BATCH_NORMALIZATION_TRAINING (training)",
  arity: { inputs: [5, 5], outputs: [3, 3] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view) => {
    const { shape } = inputOf(view, 2);
    return [inputOf(view, 1).shape, shape, shape].map((s) => ({ shape: s, dtype: "float32", quant: null }));
  },
  reference: (view) => {
    const [dy, x, gamma, mean, variance] = view.in as readonly Float32Array[] as Float32Array[] & { length: 5 };
    if (!dy || !x || !gamma || !mean || !variance) return;
    const channels = gamma.length;
    const count = x.length / channels;
    const inverse = Float64Array.from(variance, (v) => 1 / Math.sqrt(v + view.attrs.epsilon));
    const normalized = Float64Array.from(x, (v, i) => (v - Number(mean[i % channels])) * Number(inverse[i % channels]));
    const [dGamma, dBeta] = [new Float64Array(channels), new Float64Array(channels)];
    dy.forEach((d, i) => {
      const c = i % channels;
      dGamma[c] = Number(dGamma[c]) + d * Number(normalized[i]);
      dBeta[c] = Number(dBeta[c]) + d;
    });
    const [dx, outGamma, outBeta] = view.out as readonly Float32Array[];
    dy.forEach((d, i) => {
      const c = i % channels;
      const rest = d - (Number(dBeta[c]) + Number(normalized[i]) * Number(dGamma[c])) / count;
      (dx as Float32Array)[i] = Number(gamma[c]) * Number(inverse[c]) * rest;
    });
    outGamma?.set(dGamma);
    outBeta?.set(dBeta);
  },
  gradient: "not differentiable",
  ranges: "none",
  channels: "none",
  cost: elementCost(10),
  kernels: [],
  samples: [
    {
      name: "images",
      attrs: { epsilon: 1e-3 },
      inputs: [
        { shape: [2, 3, 4, 3], dtype: "float32" },
        { shape: [2, 3, 4, 3], dtype: "float32" },
        { shape: [3], dtype: "float32", range: [0.5, 2] },
        { shape: [3], dtype: "float32", range: [-0.2, 0.2] },
        { shape: [3], dtype: "float32", range: [0.2, 0.5] },
      ],
      outputs: [{ dtype: "float32" }, { dtype: "float32" }, { dtype: "float32" }],
    },
  ],
});
