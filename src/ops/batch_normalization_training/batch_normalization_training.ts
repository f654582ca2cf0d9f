import { channelCount } from "../channels.js";
import { batchStatistics } from "../common/batch-statistics.js";
import { checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { only } from "../common/gradients.js";
import { inputOf, outputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface BatchNormalizationTrainingAttrs {
  readonly epsilon: number;
}

/**
 * Normalization of each channel (the last axis) by the batch's own mean and population variance, which are outputs too.
 * Ioffe and Szegedy 2015, algorithm 1. For training.
 */
export const batchNormalizationTraining = defineOp<"BATCH_NORMALIZATION_TRAINING", BatchNormalizationTrainingAttrs>({
  name: "BATCH_NORMALIZATION_TRAINING",
  summary: "Normalization by the statistics of the batch (training)",
  arity: { inputs: [3, 3], outputs: [3, 3] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view, report) => {
    const x = inputOf(view, 0);
    const channels = [channelCount(x)];
    const fit = [1, 2].every((i) =>
      checkShape(inputOf(view, i), inputOf(view, i).shape.join() === channels.join(), `[${channels}]`, report),
    );
    return fit ? [x.shape, channels, channels].map((shape) => ({ shape, dtype: "float32", quant: null })) : null;
  },
  reference: (view) => {
    const [x, gamma, beta] = view.in as readonly Float32Array[] as [Float32Array, Float32Array, Float32Array];
    const channels = gamma.length;
    const { mean, variance } = batchStatistics(x, channels);
    const factor = variance.map((v, c) => (gamma[c] as number) / Math.sqrt(v + view.attrs.epsilon));
    const [y, outMean, outVariance] = view.out as readonly Float32Array[];
    x.forEach((value, i) => {
      const c = i % channels;
      (y as Float32Array)[i] = (value - (mean[c] as number)) * (factor[c] as number) + (beta[c] as number);
    });
    outMean?.set(mean);
    outVariance?.set(variance);
  },
  // The statistics are outputs for the running ones, which the loss does not depend on.
  gradient: (view, upstream, e) => {
    const [x, gamma] = [inputOf(view, 0), inputOf(view, 1)];
    const statistics = [outputOf(view, 1), outputOf(view, 2)];
    return e.node("BATCH_NORMALIZATION_GRADIENT", [only(upstream), x, gamma, ...statistics], view.attrs);
  },
  ranges: "none",
  channels: "none",
  cost: elementCost(8),
  kernels: [],
  samples: [
    {
      name: "images",
      attrs: { epsilon: 1e-3 },
      inputs: [
        { shape: [2, 3, 4, 3], dtype: "float32", range: [-1, 3] },
        { shape: [3], dtype: "float32", range: [0.5, 2] },
        { shape: [3], dtype: "float32" },
      ],
      outputs: [{ dtype: "float32" }, { dtype: "float32" }, { dtype: "float32" }],
    },
  ],
});
