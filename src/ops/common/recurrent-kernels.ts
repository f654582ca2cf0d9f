import { present } from "../../base/assert.js";
import type { TensorData } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import type { Kernel, KernelArg } from "../spec.js";
import {
  type IntegerLayer,
  outputIndex,
  type RecurrentAttrs,
  type RecurrentLayer,
  recurrentInputs,
  recurrentSizes,
} from "./recurrent-layer.js";
import { recurrentScales, sumLimit } from "./recurrent-scales.js";
import { multiplierArgs, multiplierStep } from "./requantize.js";
import { sigmoidTable } from "./sigmoid.js";
import { inputOf, optionalInput, zeroPointOf } from "./view.js";

const at = recurrentInputs;

const given = (view: NodeView<RecurrentAttrs>, index: number): KernelArg =>
  optionalInput(view, index) === null ? { kind: "null" } : { kind: "input", index };

function outputArg(attrs: RecurrentAttrs, output: "sequence" | "hidden" | "cell"): KernelArg {
  const index = outputIndex(attrs, output);
  return index < 0 ? { kind: "null" } : { kind: "output", index };
}

function commonFields(view: NodeView<RecurrentAttrs>) {
  const { batchStride, stepStride, ...sizes } = recurrentSizes(view);
  return { ...sizes, batch_stride: batchStride, step_stride: stepStride, reverse: Number(view.attrs.reverse) };
}

function floatKernel(layer: RecurrentLayer): Kernel<RecurrentAttrs> {
  const { kind, hasCell } = layer;
  return {
    name: "portable f32",
    form: "whole",
    types: {
      inputs: new Array<"float32">(8).fill("float32"),
      outputs: new Array<"float32">(hasCell ? 3 : 2).fill("float32"),
    },
    call: (view) => {
      const { clip, linearBeforeReset, activation } = view.attrs;
      const options = {
        lstm: {},
        gru: { linear_before_reset: Number(linearBeforeReset) },
        rnn: { relu: Number(activation === "RELU") },
      };
      return {
        source: "ops/common/recurrent_f32.h",
        symbol: `th_recurrent_${kind}_f32`,
        params: {
          type: "th_recurrent_params",
          fields: { ...commonFields(view), clip: { float: clip }, ...options[kind] },
        },
        args: [
          ...[at.data, at.weights, at.recurrent].map((index): KernelArg => ({ kind: "input", index })),
          ...[at.bias, at.recurrentBias, at.hidden].map((index) => given(view, index)),
          ...(hasCell ? [given(view, at.cell), given(view, at.peepholes)] : []),
          { kind: "scratch" },
          outputArg(view.attrs, "sequence"),
          outputArg(view.attrs, "hidden"),
          ...(hasCell ? [outputArg(view.attrs, "cell")] : []),
        ],
        scratchBytes: 4 * layer.floatScratch * recurrentSizes(view).units,
      };
    },
  };
}

/** A bias with the input's zero point in it: less zero * the sum of each row of the weights. */
function foldedBias(weights: Tensor, bias: Tensor | null, zero: number): readonly number[] {
  const [rows = 0, columns = 0] = weights.shape;
  const data = weights.data as Int8Array;
  return Array.from({ length: rows }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += data[r * columns + i] as number;
    return Number(bias?.data?.[r] ?? 0) - zero * sum;
  });
}

/** Kernels of integers: instructions, types of data and of sums, bytes of the state. */
const forms = [
  { suffix: "s8_dsp", isa: "dsp", data: "int8", wide: "int32", bytes: 1 },
  { suffix: "s8", isa: "portable", data: "int8", wide: "int32", bytes: 1 },
  { suffix: "s16", isa: "portable", data: "int16", wide: "int64", bytes: 2 },
] as const;

/** No states before the first step, no peepholes, no cell given out. Weights and biases are constants. */
function integerKernel(
  layer: RecurrentLayer,
  { header, scratch }: IntegerLayer,
  { suffix, isa, data, wide, bytes }: (typeof forms)[number],
): Kernel<RecurrentAttrs> {
  const constant = (label: string, values: TensorData): KernelArg => ({
    kind: "constant",
    label,
    dtype: wide,
    data: values,
  });
  return {
    name: `${isa} ${suffix.slice(0, bytes + 1)}`,
    form: "whole",
    ...(isa === "portable" ? {} : { isa }),
    types: {
      inputs: [data, "int8", "int8", wide, wide, [], [], []],
      outputs: layer.hasCell ? [data] : [data, data],
    },
    call: (view) => {
      const { units } = recurrentSizes(view);
      const vectors = scratch(view.attrs);
      const scales = recurrentScales(view);
      const bias = foldedBias(
        inputOf(view, at.weights),
        optionalInput(view, at.bias),
        zeroPointOf(inputOf(view, at.data)),
      );
      const recurrentBias = optionalInput(view, at.recurrentBias);
      return {
        source: `${header}_${suffix}.h`,
        symbol: `th_${layer.kind}_from_zero_${suffix}`,
        params: {
          type: "th_recurrent_int_params",
          fields: {
            ...commonFields(view),
            linear_before_reset: Number(view.attrs.linearBeforeReset),
            limit: sumLimit(view.attrs),
            input_step: multiplierStep(scales.input),
            recurrent_step: multiplierStep(scales.recurrent),
          },
        },
        args: [
          { kind: "input", index: at.data },
          { kind: "input", index: at.weights },
          constant("bias", wide === "int32" ? Int32Array.from(bias) : BigInt64Array.from(bias, BigInt)),
          ...multiplierArgs(scales.input),
          { kind: "input", index: at.recurrent },
          recurrentBias === null
            ? { kind: "null" }
            : constant("recurrent_bias", present(recurrentBias.data, "a constant")),
          ...multiplierArgs(scales.recurrent),
          { kind: "constant", label: "sigmoid", dtype: "int16", data: sigmoidTable },
          { kind: "scratch" },
          outputArg(view.attrs, "sequence"),
          outputArg(view.attrs, "hidden"),
        ],
        scratchBytes: (2 * vectors.wide + bytes * vectors.narrow) * units,
      };
    },
  };
}

/** The kernels of a layer. */
export function recurrentKernels(layer: RecurrentLayer): readonly Kernel<RecurrentAttrs>[] {
  const { integer } = layer;
  const narrow = integer === "none" ? [] : forms.map((form) => integerKernel(layer, integer, form));
  return [...narrow, floatKernel(layer)];
}
