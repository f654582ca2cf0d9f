import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import { quantizeMultiplier } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { perTensor } from "../../ir/graph.js";
import { channelCount } from "../channels.js";
import { type Activation, decodeActivation, encodeActivation } from "../common/activation.js";
import { checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { matmul, only, reshape, sumTo, throughActivation } from "../common/gradients.js";
import { biasTypeOption, bool, int8 } from "../common/options.js";
import { channelMultipliers, checkWeightQuantization } from "../common/requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, quantOf, scaleOf, sizeAt, zeroPointOf } from "../common/view.js";
import { sampleChannels, type Weighted, weightedFinish, weightedKernels } from "../common/weighted.js";
import { mixingRule, type Products, weightedRanges } from "../common/weighted-channels.js";
import { defineOp, type ExecView, noTraits, type Report, type Sample } from "../spec.js";
import { denseArmv6m } from "./armv6m.js";
import { denseDsp } from "./dsp.js";
import { denseHelium } from "./helium.js";

export interface FullyConnectedAttrs {
  readonly activation: Activation;
  /** The output keeps the input's leading axes; else it is [batch, units]. */
  readonly keepNumDims: boolean;
}

/** Sizes of a fully connected layer: weights are [units, depth], and the input is cut into vectors of `depth`. */
export function fullyConnectedGeometry(view: NodeView<FullyConnectedAttrs>) {
  const filter = inputOf(view, 1).shape;
  const [units, depth] = [sizeAt(filter, 0), sizeAt(filter, 1)];
  return { units, depth, batch: elementsOf(inputOf(view, 0).shape) / depth };
}

/** Rows that the input comes in: more than one where it is one image, and all of that one vector. */
function inputRows(view: NodeView<FullyConnectedAttrs>): number {
  const [images, rows = 1, ...rest] = inputOf(view, 0).shape;
  return images === 1 && rest.length > 0 && fullyConnectedGeometry(view).batch === 1 ? rows : 1;
}

const dense: Weighted<FullyConnectedAttrs> = {
  index: { input: 0, weights: 1, bias: 2 },
  stem: "ops/fully_connected/fully_connected",
  activation: (a) => a.activation,
  form: "whole",
  folds: (view) => {
    const rows = inputRows(view);
    return rows > 1 ? { rows, sums: fullyConnectedGeometry(view).units } : null;
  },
  fields: (view) => {
    const g = fullyConnectedGeometry(view);
    return { batch: g.batch, in_c: g.depth, out_c: g.units, row_c: g.depth / inputRows(view) };
  },
  integerFields: (view) => ({ weights_zero: zeroPointOf(inputOf(view, 1)) }),
  /** Per tensor, TFLite's GetQuantizedConvolutionMultipler takes the product of the scales in float32. */
  multipliers: (view) => {
    const [input, weights, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
    if (quantOf(weights).scales.length > 1) return channelMultipliers(input, weights, output);
    const f = quantizeMultiplier(Math.fround(scaleOf(input) * scaleOf(weights)) / scaleOf(output));
    return { multipliers: Int32Array.of(f.multiplier), shifts: Int8Array.of(f.shift) };
  },
};

/** The sums that the outputs are, pixel by pixel of the input; null where a pixel is more than a vector. */
function products(view: NodeView<FullyConnectedAttrs>): Products | null {
  const { units, depth } = fullyConnectedGeometry(view);
  const channels = channelCount(inputOf(view, 0));
  if (depth % channels !== 0) return null;
  const taps = new Array<"inside">(depth / channels).fill("inside");
  return { outputs: units, taps, depth: channels, outStep: depth, tapStep: channels, firstChannel: () => 0 };
}

/** Integer rounding and the subtraction of both zero points as TFLM's reference_integer_ops::FullyConnected. */
function reference(view: ExecView<FullyConnectedAttrs>): void {
  const { batch, depth, units } = fullyConnectedGeometry(view);
  const finish = weightedFinish(dense, view);
  const [inZero, weightsZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(inputOf(view, 1))];
  const x = Float64Array.from(view.in[0] as ArrayLike<number>, (v) => v - inZero);
  const w = Float64Array.from(view.in[1] as ArrayLike<number>, (v) => v - weightsZero);
  const bias = asDoubles(view.in[2]);
  const out = view.out[0] as Float32Array;
  for (let n = 0; n < batch; n++) {
    for (let u = 0; u < units; u++) {
      let sum = bias === null ? 0 : (bias[u] as number);
      for (let i = 0; i < depth; i++) sum += (x[n * depth + i] as number) * (w[u * depth + i] as number);
      out[n * units + u] = finish(sum, u);
    }
  }
}

/** As for convolutions, but int8 weights quantized per tensor may have a zero point. */
function checkQuantization(view: NodeView<FullyConnectedAttrs>, report: Report): void {
  checkPerTensor(inputOf(view, 0), report);
  checkPerTensor(outputOf(view, 0), report);
  const weights = inputOf(view, 1);
  const quant = weights.quant;
  const mayShift = inputOf(view, 0).dtype === "int8" && weights.dtype === "int8" && quant?.scales.length === 1;
  const symmetric = mayShift ? { ...weights, quant: { ...quant, zeroPoints: [0] } } : weights;
  const inputs = view.inputs.map((t, i) => (i === 1 ? symmetric : t));
  checkWeightQuantization({ ...view, inputs }, dense.index, 0, report);
}

const portableKernels = weightedKernels(dense, ["s8", "s8_w4", "s16", "s16_b32", "f32"]);

const attrs: FullyConnectedAttrs = { activation: "NONE", keepNumDims: false };

const samples: readonly Sample<FullyConnectedAttrs>[] = [
  {
    name: "int8, asymmetric weights",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [2, 3, 5], dtype: "int8", quant: perTensor(0.05, -128) },
      { shape: [7, 15], dtype: "int8", quant: perTensor(0.01, 9), constant: "random" },
      { shape: [7], dtype: "int32", constant: "random", range: [-2000, 2000] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.08, -128) }],
  },
  {
    name: "int8 per channel, no bias, dims kept",
    attrs: { ...attrs, keepNumDims: true },
    inputs: [
      { shape: [2, 3, 5], dtype: "int8", quant: perTensor(0.05, 127) },
      { shape: [4, 5], dtype: "int8", quant: sampleChannels(4, 0.01), constant: "random" },
      null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.06, 5) }],
  },
  {
    name: "int8, computed weights",
    attrs,
    inputs: [
      { shape: [1, 9], dtype: "int8", quant: perTensor(0.05, 3) },
      { shape: [3, 9], dtype: "int8", quant: perTensor(0.03) },
      { shape: [3], dtype: "int32", constant: "random", range: [-500, 500] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.2, 0) }],
  },
  {
    name: "int4 weights",
    attrs,
    inputs: [
      { shape: [1, 11], dtype: "int8", quant: perTensor(0.05, -7) },
      { shape: [5, 11], dtype: "int4", quant: sampleChannels(5, 0.1), constant: "random", range: [-7, 7] },
      { shape: [5], dtype: "int32", constant: "random", range: [-500, 500] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.1, 11) }],
  },
  ...(["int64", "int32"] as const).map(
    (bias): Sample<FullyConnectedAttrs> => ({
      name: `16x8, ${bias} bias`,
      attrs: { ...attrs, activation: "RELU6" },
      inputs: [
        { shape: [3, 8], dtype: "int16", quant: perTensor(0.0003) },
        { shape: [4, 8], dtype: "int8", quant: perTensor(0.01), constant: "random" },
        { shape: [4], dtype: bias, constant: "random", range: [-100000, 100000] },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.0005) }],
    }),
  ),
  {
    name: "int8, an image",
    attrs,
    inputs: [
      { shape: [1, 4, 3, 5], dtype: "int8", quant: perTensor(0.05, 11) },
      { shape: [6, 60], dtype: "int8", quant: sampleChannels(6, 0.01), constant: "random" },
      { shape: [6], dtype: "int32", constant: "random", range: [-2000, 2000] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.2, -3) }],
  },
  {
    name: "float, an image",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [1, 4, 3, 5], dtype: "float32" },
      { shape: [6, 60], dtype: "float32", constant: "random" },
      { shape: [6], dtype: "float32", constant: "random" },
    ],
    outputs: [{ dtype: "float32" }],
  },
  {
    name: "float",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [2, 6], dtype: "float32" },
      { shape: [5, 6], dtype: "float32", constant: "random" },
      { shape: [5], dtype: "float32", constant: "random" },
    ],
    outputs: [{ dtype: "float32" }],
  },
];

export const fullyConnected = defineOp<"FULLY_CONNECTED", FullyConnectedAttrs>({
  name: "FULLY_CONNECTED",
  summary: "Matrix product with [units, depth] weights",
  arity: { inputs: [2, 3], outputs: [1, 1] },
  optionalInputs: [2],
  traits: { ...noTraits, parameters: [1, 2], sums: { input: 0, weights: 1, bias: 2, channelAxis: 0 } },
  tflite: {
    builtin: 9,
    maxVersion: 14,
    options: {
      tag: 8,
      fields: [
        int8("activation"),
        int8("weightsFormat"),
        bool("keepNumDims"),
        bool("asymmetricQuantizeInputs"),
        int8("quantizedBiasType"),
      ],
    },
    decode: (v, report) => {
      checkOption(Number(v.weightsFormat) === 0, "weights_format", v.weightsFormat, "0 (not shuffled)", report);
      return { activation: decodeActivation(v.activation, report), keepNumDims: v.keepNumDims === true };
    },
    encode: (a, view) => ({
      activation: encodeActivation(a.activation),
      weightsFormat: 0,
      keepNumDims: a.keepNumDims,
      asymmetricQuantizeInputs: false,
      quantizedBiasType: biasTypeOption(inputOf(view, 0), optionalInput(view, 2)),
    }),
  },
  infer: (view, report) => {
    const [input, filter, bias] = [inputOf(view, 0), inputOf(view, 1), optionalInput(view, 2)];
    if (!checkRank(filter, [2], report)) return null;
    const { units, depth, batch } = fullyConnectedGeometry(view);
    const keep = view.attrs.keepNumDims;
    const last = input.shape[input.shape.length - 1];
    const whole = depth > 0 && Number.isInteger(batch) && (!keep || last === depth);
    if (!checkShape(input, whole, keep ? `a last axis of ${depth}` : `a multiple of ${depth} elements`, report))
      return null;
    // TFLite takes a bias of any shape with as many elements.
    if (bias && !checkShape(bias, elementsOf(bias.shape) === units, `[${units}]`, report)) return null;
    checkQuantization(view, report);
    const shape = keep ? [...input.shape.slice(0, -1), units] : [batch, units];
    return [{ shape, dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference,
  gradient: (view, upstream, e) => {
    const [x, w, bias, y] = [inputOf(view, 0), inputOf(view, 1), optionalInput(view, 2), outputOf(view, 0)];
    const { batch, depth, units } = fullyConnectedGeometry(view);
    const dy = reshape(e, throughActivation(e, view.attrs.activation, y, only(upstream)), [batch, units]);
    const dx = reshape(e, matmul(e, dy, w), x.shape);
    const dw = matmul(e, dy, reshape(e, x, [batch, depth]), { adjX: true });
    const db = bias && sumTo(e, dy, bias.shape);
    return view.inputs.length > 2 ? [dx, dw, db] : [dx, dw];
  },
  ranges: (view, [input = null]) => {
    const sums = products(view);
    return sums && weightedRanges(dense, view, sums, input);
  },
  channels: (view) => {
    const sums = products(view);
    return sums && mixingRule(dense, view, sums, { output: 0, input: 1 });
  },
  cost: (view) => {
    const { batch, depth, units } = fullyConnectedGeometry(view);
    return { macs: batch * depth * units, operations: batch * units };
  },
  kernels: [
    ...denseHelium(dense, portableKernels),
    ...denseDsp(dense, portableKernels),
    denseArmv6m(dense, present(portableKernels[0], "the kernel for int8")),
    ...portableKernels,
  ],
  samples,
});
