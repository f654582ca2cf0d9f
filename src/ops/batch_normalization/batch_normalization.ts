import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { channelCount } from "../channels.js";
import { elementwiseChannels } from "../common/channels.js";
import { checkConstant, checkOption, checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { add, mul, only, scalar, sub, sumTo, unary } from "../common/gradients.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf } from "../common/view.js";
import { defineOp, type ExecView, noTraits, type Sample } from "../spec.js";

export interface BatchNormalizationAttrs {
  /** Added to the variance; above zero. */
  readonly epsilon: number;
}

/** Places of the constants, each [channels]. */
const constants = { gamma: 1, beta: 2, mean: 3, variance: 4 } as const;

/** The factor and the offset of each channel: y = factor x + offset. */
function affine(
  epsilon: number,
  [gamma, beta, mean, variance]: readonly ArrayLike<number>[],
): { readonly factor: Float64Array; readonly offset: Float64Array } {
  const factor = Float64Array.from(
    gamma as ArrayLike<number>,
    (g, c) => g / Math.sqrt(Number(variance?.[c]) + epsilon),
  );
  const offset = factor.map((f, c) => Number(beta?.[c]) - f * Number(mean?.[c]));
  return { factor, offset };
}

/** Ioffe and Szegedy 2015, algorithm 2: with the statistics of training, in double. */
function reference(view: ExecView<BatchNormalizationAttrs>): void {
  const { factor, offset } = affine(view.attrs.epsilon, view.in.slice(1) as Float32Array[]);
  const [x, y] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  const channels = factor.length;
  for (let i = 0; i < x.length; i++)
    y[i] = (x[i] as number) * (factor[i % channels] as number) + (offset[i % channels] as number);
}

/** The constants that the kernel reads. */
function folded(view: NodeView<BatchNormalizationAttrs>) {
  const data = Object.values(constants).map((index) => constantOf(inputOf(view, index)));
  const { factor, offset } = affine(view.attrs.epsilon, data);
  return { factor: Float32Array.from(factor), offset: Float32Array.from(offset) };
}

const sample = (name: string, shape: readonly number[], epsilon: number): Sample<BatchNormalizationAttrs> => {
  const channel = { shape: [shape.at(-1) ?? 1], dtype: "float32", constant: "random" } as const;
  return {
    name,
    attrs: { epsilon },
    inputs: [
      { shape, dtype: "float32", range: [-3, 3] },
      { ...channel, range: [0.5, 2] },
      channel,
      channel,
      { ...channel, range: [0.1, 2] },
    ],
    outputs: [{ dtype: "float32" }],
  };
};

/** Normalization of each channel (the last axis) by the statistics of training. */
export const batchNormalization = defineOp<"BATCH_NORMALIZATION", BatchNormalizationAttrs>({
  name: "BATCH_NORMALIZATION",
  summary: "(x - mean) / sqrt(variance + epsilon) * gamma + beta, channel by channel",
  arity: { inputs: [5, 5], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true, parameters: [1, 2], inPlace: [0], rows: (view) => equalRows(view, [0]) },
  tflite: "none",
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const { epsilon } = view.attrs;
    if (!checkShape(input, input.shape.length > 0, "at least one axis", report)) return null;
    if (!checkOption(epsilon >= 0 && Number.isFinite(epsilon), "epsilon", epsilon, "at least 0", report)) return null;
    const channels = channelCount(input);
    const fit = Object.values(constants).map((index) => {
      const { shape } = inputOf(view, index);
      const isVector = shape.length === 1 && shape[0] === channels;
      return checkConstant(view, index, report) && checkShape(inputOf(view, index), isVector, `[${channels}]`, report);
    });
    return fit.every(Boolean) ? [{ shape: input.shape, dtype: input.dtype, quant: null }] : null;
  },
  reference,
  gradient: (view, upstream, e) => {
    const [x, gamma, mean, variance] = [inputOf(view, 0), inputOf(view, 1), inputOf(view, 3), inputOf(view, 4)];
    const dy = only(upstream);
    const inverse = unary(e, "RSQRT", add(e, variance, scalar(e, view.attrs.epsilon)));
    const dx = mul(e, dy, mul(e, gamma, inverse));
    const normalized = mul(e, sub(e, x, mean), inverse);
    return [dx, sumTo(e, mul(e, dy, normalized), gamma.shape), sumTo(e, dy, gamma.shape), null, null];
  },
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(2),
  kernels: [
    {
      name: "portable f32",
      form: "slice",
      types: { inputs: ["float32", "float32", "float32", "float32", "float32"], outputs: ["float32"] },
      call: (view) => {
        const { factor, offset } = folded(view);
        const pixels = elementsOf(inputOf(view, 0).shape) / factor.length;
        return {
          source: "ops/batch_normalization/batch_normalization.h",
          symbol: "th_batch_normalization_f32",
          params: { type: "th_batch_normalization_params", fields: { pixels, channels: factor.length } },
          args: [
            { kind: "input", index: 0 },
            { kind: "constant", label: "factor", dtype: "float32", data: factor },
            { kind: "constant", label: "offset", dtype: "float32", data: offset },
            { kind: "output", index: 0 },
          ],
          scratchBytes: 0,
        };
      },
    },
  ],
  samples: [sample("an image", [1, 3, 4, 5], 1e-3), sample("vectors", [3, 7], 1e-5)],
});
