import { present } from "../../base/assert.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import type { Kernel, KernelArg } from "../spec.js";
import { perNode } from "./per-node.js";
import { packGates } from "./recurrent-dsp.js";
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

/** Both products: where weights are, biases that all inputs' zero points are in, and scales. */
function productsOf(view: NodeView<RecurrentAttrs>) {
  const scales = recurrentScales(view);
  const zero = zeroPointOf(inputOf(view, at.data));
  const bias = foldedBias(inputOf(view, at.weights), optionalInput(view, at.bias), zero);
  const recurrentBias = optionalInput(view, at.recurrentBias);
  return {
    given: { weights: at.weights, bias, scales: scales.input },
    past: {
      weights: at.recurrent,
      bias: recurrentBias && Array.from(present(recurrentBias.data, "a constant"), Number),
      scales: scales.recurrent,
    },
  };
}

type Product = ReturnType<typeof productsOf>["given" | "past"];

/** Weights as they are, then biases (NULL for none), multipliers and shifts. */
const plainArgs =
  (wide: "int32" | "int64") =>
  (_: NodeView<RecurrentAttrs>, { weights, bias, scales }: Product): readonly KernelArg[] => {
    const data = bias && (wide === "int32" ? Int32Array.from(bias) : BigInt64Array.from(bias, BigInt));
    return [
      { kind: "input", index: weights },
      data === null ? { kind: "null" } : { kind: "constant", label: "bias", dtype: wide, data },
      ...multiplierArgs(scales),
    ];
  };

const packed = (view: NodeView<RecurrentAttrs>, { weights, bias }: Product): Int32Array | null =>
  packGates(view, weights, bias);

/** The streams of both products, which are packed once. */
const givenStream = perNode({ input: at.data, weights: at.weights, bias: at.bias }, (view: NodeView<RecurrentAttrs>) =>
  packed(view, productsOf(view).given),
);
const pastStream = perNode(
  { input: at.data, weights: at.recurrent, bias: at.recurrentBias },
  (view: NodeView<RecurrentAttrs>) => packed(view, productsOf(view).past),
);

/** Streams of weights with their biases, then multipliers and shifts. */
function streamArgs(view: NodeView<RecurrentAttrs>, { weights, scales }: Product): readonly KernelArg[] {
  const data = present((weights === at.weights ? givenStream : pastStream)(view), "packed weights");
  return [{ kind: "constant", label: "stream", dtype: "int32", data }, ...multiplierArgs(scales)];
}

interface Form {
  readonly name: string;
  readonly suffix: string;
  readonly isa?: "dsp";
  readonly data: "int8" | "int16";
  readonly wide: "int32" | "int64";
  readonly matches?: (view: NodeView<RecurrentAttrs>) => boolean;
  readonly args: (view: NodeView<RecurrentAttrs>, product: Product) => readonly KernelArg[];
}

/** Kernels of integers. */
const forms: readonly Form[] = [
  {
    name: "dsp s8",
    suffix: "s8_dsp",
    isa: "dsp",
    data: "int8",
    wide: "int32",
    matches: (view) => givenStream(view) !== null && pastStream(view) !== null,
    args: streamArgs,
  },
  { name: "portable s8", suffix: "s8", data: "int8", wide: "int32", args: plainArgs("int32") },
  { name: "portable s16", suffix: "s16", data: "int16", wide: "int64", args: plainArgs("int64") },
];

/** No states before the first step, no peepholes, no cell given out. Weights and biases are constants. */
function integerKernel(
  layer: RecurrentLayer,
  { header, scratch }: IntegerLayer,
  { name, suffix, isa, data, wide, matches, args }: Form,
): Kernel<RecurrentAttrs> {
  return {
    name,
    form: "whole",
    ...(isa ? { isa } : {}),
    ...(matches ? { matches } : {}),
    types: {
      inputs: [data, "int8", "int8", wide, wide, [], [], []],
      outputs: layer.hasCell ? [data] : [data, data],
    },
    call: (view) => {
      const { units } = recurrentSizes(view);
      const vectors = scratch(view.attrs);
      const products = productsOf(view);
      return {
        source: `${header}_${suffix}.h`,
        symbol: `th_${layer.kind}_from_zero_${suffix}`,
        params: {
          type: "th_recurrent_int_params",
          fields: {
            ...commonFields(view),
            linear_before_reset: Number(view.attrs.linearBeforeReset),
            limit: sumLimit(view.attrs),
            input_step: multiplierStep(products.given.scales),
            recurrent_step: multiplierStep(products.past.scales),
          },
        },
        args: [
          { kind: "input", index: at.data },
          ...args(view, products.given),
          ...args(view, products.past),
          { kind: "constant", label: "sigmoid", dtype: "int16", data: sigmoidTable },
          { kind: "scratch" },
          outputArg(view.attrs, "sequence"),
          outputArg(view.attrs, "hidden"),
        ],
        scratchBytes: (2 * vectors.wide + (data === "int8" ? 1 : 2) * vectors.narrow) * units,
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
