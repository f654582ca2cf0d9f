import { elementsOf } from "../../base/dtype.js";
import {
  clamp,
  quantizeMultiplier,
  requantize,
  roundingDivideByPowerOfTwo,
  roundingDoublingHighMul,
} from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkOption, checkPerTensor, checkShape } from "../common/checks.js";
import { expScaling, mostExponentials } from "../common/exp-scaling.js";
import { expOnNegativeValues, fixedLog } from "../common/fixed-exp.js";
import { mul, only, sub, sumOver, unary } from "../common/gradients.js";
import { noOptions } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { checkFixedScale } from "../common/scales.js";
import { inputOf, outputOf, scaleOf } from "../common/view.js";
import { defineOp, type ExecView, noTraits } from "../spec.js";

/** The operator has no options. */
export type LogSoftmaxAttrs = Readonly<Record<never, never>>;

/** Multipliers of the int8 form. Source: PreprocessLogSoftmaxScalingExp of TFLite. */
function scaling(view: NodeView<LogSoftmaxAttrs>) {
  const forward = expScaling(scaleOf(inputOf(view, 0)));
  return { ...forward, reverse: quantizeMultiplier(2 ** (31 - forward.shift) / forward.multiplier) };
}

function size(view: NodeView<LogSoftmaxAttrs>) {
  const { shape } = inputOf(view, 0);
  const depth = shape[shape.length - 1] ?? 1;
  return { rows: depth === 0 ? 0 : elementsOf(shape) / depth, depth };
}

/** One int8 vector; TFLite's reference_ops::LogSoftmax. */
function integerRow(view: NodeView<LogSoftmaxAttrs>, row: readonly number[]): readonly number[] {
  const { multiplier, shift, diffMin, reverse } = scaling(view);
  const largest = Math.max(...row);
  const scaled = (diff: number): number => roundingDoublingHighMul(diff << shift, multiplier);
  const diffs = row.map((x) => x - largest);
  const sum = diffs
    .filter((d) => d >= diffMin)
    .reduce((s, d) => s + roundingDivideByPowerOfTwo(expOnNegativeValues(scaled(d)), 12), 0);
  const logSum = fixedLog(sum);
  const above = Math.max(diffMin - 1, requantize(logSum - 2147483648, reverse.multiplier, reverse.shift));
  return diffs.map((d) =>
    d > above ? clamp(roundingDivideByPowerOfTwo(scaled(d) - logSum, 22) + 127, -128, 127) : -128,
  );
}

function floatRow(row: readonly number[]): readonly number[] {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = Math.log(row.reduce((s, x) => s + Math.exp(x - largest), 0));
  return row.map((x) => x - largest - logSum);
}

/** The vectors along the last axis, one by one. */
function logSoftmaxReference(view: ExecView<LogSoftmaxAttrs>): void {
  const { rows, depth } = size(view);
  const isFloat = inputOf(view, 0).dtype === "float32";
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.subarray(r * depth, (r + 1) * depth));
    out.set(isFloat ? floatRow(row) : integerRow(view, row), r * depth);
  }
}

const q8 = perTensor(1 / 16, 127);

export const logSoftmax = defineOp<"LOG_SOFTMAX", LogSoftmaxAttrs>({
  name: "LOG_SOFTMAX",
  summary: "Logarithm of the softmax over the last axis",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...noTraits,
    inPlace: [0],
    rows: (view) => equalRows(view, [0]),
    quantizes: { int8: q8, int16: perTensor(2 ** -11) },
  },
  tflite: { builtin: 50, maxVersion: 2, options: { ...noOptions, tag: 36 }, decode: () => ({}), encode: () => ({}) },
  infer: (view, report) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    const { rows, depth } = size(view);
    const isFloat = input.dtype === "float32";
    const fits = input.shape.length > 0 && rows > 0 && (isFloat || depth <= mostExponentials);
    if (!checkShape(input, fits, `a last axis of 1 to ${mostExponentials}`, report)) return null;
    if (isFloat) return [{ shape: input.shape, dtype: "float32", quant: null }];
    if (!checkPerTensor(input, report)) return null;
    if (!checkOption(scaleOf(input) > 2 ** -26, "scale of the input", scaleOf(input), "above 2^-26", report))
      return null;
    checkFixedScale(output, 1 / 16, 127, report);
    return [{ shape: input.shape, dtype: "int8", quant: "free" }];
  },
  reference: logSoftmaxReference,
  gradient: (view, upstream, e) => {
    const [y, dy] = [outputOf(view, 0), only(upstream)];
    const total = sumOver(e, dy, [y.shape.length - 1]);
    return [sub(e, dy, mul(e, unary(e, "EXP", y), total))];
  },
  ranges: "none",
  channels: "none",
  cost: (view) => ({ macs: 0, operations: 3 * elementsOf(inputOf(view, 0).shape) }),
  kernels: [
    {
      name: "portable s8",
      form: "slice",
      types: { inputs: ["int8"], outputs: ["int8"] },
      call: (view) => {
        const { multiplier, shift, diffMin, reverse } = scaling(view);
        const reversed = { reverse_multiplier: reverse.multiplier, reverse_shift: reverse.shift };
        return {
          source: "ops/log_softmax/log_softmax_s8.h",
          symbol: "th_log_softmax_s8",
          params: {
            type: "th_log_softmax_params",
            fields: { ...size(view), multiplier, shift, ...reversed, diff_min: diffMin },
          },
          args: [
            { kind: "input", index: 0 },
            { kind: "output", index: 0 },
          ],
          scratchBytes: 0,
        };
      },
    },
    {
      name: "portable f32",
      form: "slice",
      types: { inputs: ["float32"], outputs: ["float32"] },
      call: (view) => ({
        source: "ops/log_softmax/log_softmax_f32.h",
        symbol: "th_log_softmax_f32",
        params: { type: "th_log_softmax_f32_params", fields: size(view) },
        args: [
          { kind: "input", index: 0 },
          { kind: "output", index: 0 },
        ],
        scratchBytes: 0,
      }),
    },
  ],
  samples: [
    {
      name: "int8",
      attrs: {},
      inputs: [{ shape: [3, 7], dtype: "int8", quant: perTensor(0.08, 5) }],
      outputs: [{ dtype: "int8", quant: q8 }],
    },
    {
      name: "int8, an image's channels",
      attrs: {},
      inputs: [{ shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.08, 5) }],
      outputs: [{ dtype: "int8", quant: q8 }],
    },
    {
      name: "int8, coarse",
      attrs: {},
      inputs: [{ shape: [2, 5], dtype: "int8", quant: perTensor(0.6, -9) }],
      outputs: [{ dtype: "int8", quant: q8 }],
    },
    {
      name: "int8, many",
      attrs: {},
      inputs: [{ shape: [1, 600], dtype: "int8", quant: perTensor(0.01, -128) }],
      outputs: [{ dtype: "int8", quant: q8 }],
    },
    {
      name: "float",
      attrs: {},
      inputs: [{ shape: [2, 3, 4], dtype: "float32", range: [-6, 6] }],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
