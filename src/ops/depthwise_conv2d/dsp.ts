import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import type { LinearScales } from "../common/linear-finish.js";
import { inputOf, outputOf, pixelStep, zeroPointOf } from "../common/view.js";
import { weightedKernels } from "../common/weighted.js";
import type { CValue, Kernel, KernelCall } from "../spec.js";
import { type Channels, channelsOf } from "./dsp-channels.js";
import { groupsOf3x3, groupsOfAny, nibblesOf } from "./dsp-packing.js";
import { type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** The widest window along a row, for which the header has functions. */
const maxTaps = 11;
/** Bytes of scratch that a block may take, if it is more than four outputs. */
const scratchLimit = 768;
/** The same for large kernels, and for many outputs of one input channel, where each block prepares many weights. */
const planesLimit = 1152;

/** How the row is cut and what scratch that takes. */
function blocksOf(view: View) {
  const { kernel, outWidth, channels } = depthwiseGeometry(view);
  const [rows, taps] = kernel;
  const lanes = channels === 1 ? 1 : 4;
  const stride = view.attrs.stride[1];
  const steps = stride === 1 ? Math.ceil((taps + 1) / 2) : Math.ceil(taps / 2);
  // An odd number of steps ends in the middle of four weights.
  const weightWords = rows * steps * (stride === 1 ? 2 : 1) + 2;
  // Groups of four may read on by as much as a group and its steps.
  const planeWords = (outputs: number) =>
    lanes * (rows * (((outputs - 1) * stride + taps + 1) >> 1) + 2 * (stride + steps));
  const bytes = (outputs: number) => 4 * (planeWords(outputs) + weightWords);
  let parts = 1;
  const block = () => 4 * Math.ceil(outWidth / parts / 4);
  while (block() > 4 && bytes(Math.min(block(), outWidth)) > planesLimit) parts++;
  const outputs = Math.min(block(), outWidth);
  return { steps, lanes, block: block(), planeWords: planeWords(outputs), scratchBytes: bytes(outputs) };
}

/** Fields of the params that both headers begin with. */
const commonFields = (view: View): Record<string, CValue> => {
  const g = depthwiseGeometry(view);
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(view.attrs.activation, output);
  return {
    "p.in_w": g.width,
    "p.in_c": g.channels,
    "p.out_w": g.outWidth,
    "p.in_step": pixelStep(view, inputOf(view, 0)),
    "p.out_step": pixelStep(view, output),
    "p.k_h": g.kernel[0],
    "p.k_w": g.kernel[1],
    "p.multiplier": g.multiplier,
    "p.stride_w": view.attrs.stride[1],
    "p.dilation_w": view.attrs.dilation[1],
    "p.pad_left": g.padLeft,
    "p.in_zero": zeroPointOf(inputOf(view, 0)),
    "p.out_zero": zeroPointOf(output),
    "p.min": range.min,
    "p.max": range.max,
  };
};

/** The arguments of a call with the linear finish. */
const linearArgsOf = ({ biases, multipliers }: LinearScales, weights: Int8Array): KernelCall["args"] => [
  { kind: "rows", index: 0 },
  { kind: "constant", label: "weights", dtype: "int8", data: weights },
  { kind: "constant", label: "biases", dtype: "int32", data: biases },
  { kind: "constant", label: "multipliers", dtype: "int32", data: multipliers },
  { kind: "scratch" },
  { kind: "output", index: 0 },
];

const argsOf = ({ biases2, multipliers, rights }: Channels, weights: Int8Array): KernelCall["args"] => [
  { kind: "rows", index: 0 },
  { kind: "constant", label: "weights", dtype: "int8", data: weights },
  { kind: "constant", label: "biases", dtype: "int32", data: biases2 },
  { kind: "constant", label: "multipliers", dtype: "int32", data: multipliers },
  { kind: "constant", label: "shifts", dtype: "int8", data: rights },
  { kind: "scratch" },
  { kind: "output", index: 0 },
];

const isInt4 = (view: View): boolean => inputOf(view, 1).dtype === "int4";

/** How headers and functions for a node's weights are named. */
const nameOf = (view: View): string => (isInt4(view) ? "s8_w4_dsp" : "s8_dsp");

/** Bytes of what is prepared of four channels, with the linear finish and with the other, and of a column. */
const [linearBytes, fourBytes, columnBytes] = [104, 136, 24];

/** Outputs of a row in a block: as few blocks as bytes allow, or blocks of `least`. */
function blockOf(outWidth: number, least: number, limit: number, bytes: (outputs: number) => number): number {
  let parts = 1;
  const block = () => Math.ceil(outWidth / parts);
  while (block() > least && bytes(block()) > limit) parts++;
  return block();
}

/** Outputs of a row in the blocks of kernels that take little scratch. */
const leanOutputs = 4;

function call3x3Of(view: View, limit: number): KernelCall {
  const { outWidth, channels: count } = depthwiseGeometry(view);
  const stride = view.attrs.stride[1];
  const channels = channelsOf(view) as Channels;
  const { linear } = channels;
  const prepared = linear === null ? fourBytes : linearBytes;
  const bytes = (outputs: number) => prepared + columnBytes * ((outputs - 1) * stride + 3);
  const block = blockOf(outWidth, leanOutputs, limit, bytes);
  const { weights } = channels;
  const groups = isInt4(view) ? nibblesOf(weights, count, [3, 3], true) : groupsOf3x3(weights, count);
  const fields = { ...commonFields(view), block, add: linear?.add ?? 0 };
  return {
    source: `ops/depthwise_conv2d/depthwise_conv2d_${nameOf(view)}_3x3.h`,
    symbol: `th_depthwise_conv2d_${nameOf(view)}_3x3_${stride}${linear === null ? "" : "_linear"}`,
    params: { type: "th_depthwise_conv2d_dsp_3x3_params", fields },
    args: linear === null ? argsOf(channels, groups) : linearArgsOf(linear, groups),
    scratchBytes: bytes(block),
  };
}

function callColumnsOf(view: View, limit: number): KernelCall {
  const { outWidth, kernel, channels: count } = depthwiseGeometry(view);
  const channels = channelsOf(view) as Channels;
  const stride = view.attrs.stride[1];
  const pairs = Math.ceil(kernel[0] / 2);
  const { linear } = channels;
  const finish = linear === null ? 64 : 32;
  const bytes = (outputs: number) => finish + 16 * pairs * (kernel[1] + (outputs - 1) * stride + kernel[1]);
  const block = blockOf(outWidth, limit === 0 ? 1 : leanOutputs, limit, bytes);
  const weights = isInt4(view)
    ? nibblesOf(channels.weights, count, kernel, false)
    : groupsOfAny(channels, count, kernel, 0).weights;
  return {
    source: `ops/depthwise_conv2d/depthwise_conv2d_${nameOf(view)}_columns.h`,
    symbol: `th_depthwise_conv2d_${nameOf(view)}_columns_${pairs}${linear === null ? "" : "_linear"}`,
    params: {
      type: "th_depthwise_conv2d_dsp_columns_params",
      fields: { ...commonFields(view), block, add: linear?.add ?? 0 },
    },
    args: linear === null ? argsOf(channels, weights) : linearArgsOf(linear, weights),
    scratchBytes: bytes(block),
  };
}

function callAnyOf(view: View): KernelCall {
  const g = depthwiseGeometry(view);
  const channels = channelsOf(view) as Channels;
  const { weights, biases } = groupsOfAny(channels, g.channels, g.kernel, zeroPointOf(inputOf(view, 0)));
  const fields = Object.entries(commonFields(view)).map(([name, value]) => [name.replace("p.", ""), value] as const);
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_dsp_any.h",
    symbol: "th_depthwise_conv2d_s8_dsp_any",
    params: { type: "th_depthwise_conv2d_params", fields: Object.fromEntries(fields) },
    args: argsOf({ ...channels, biases2: biases }, weights).filter(({ kind }) => kind !== "scratch"),
    scratchBytes: 0,
  };
}

function callOf(view: View): KernelCall {
  const channels = channelsOf(view) as Channels;
  const { steps, lanes, block, planeWords, scratchBytes } = blocksOf(view);
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_dsp.h",
    symbol: `th_depthwise_conv2d_s8_dsp_${view.attrs.stride[1]}_${steps}_${lanes}`,
    params: {
      type: "th_depthwise_conv2d_dsp_params",
      fields: {
        ...commonFields(view),
        block,
        plane_words: planeWords,
      },
    },
    args: argsOf(channels, channels.weights),
    scratchBytes,
  };
}

const types = { inputs: ["int8", "int8", "int32"], outputs: ["int8"] } as const;

/** True if the row's stride and dilation are what the headers with blocks take. */
const isEven = ({ attrs: { stride, dilation } }: View): boolean => stride[1] <= 2 && dilation[1] === 1;

/** True for what the header for 3x3 kernels takes. */
function takes3x3(view: View): boolean {
  const { kernel, channels, multiplier } = depthwiseGeometry(view);
  const is3x3 = kernel[0] === 3 && kernel[1] === 3;
  return is3x3 && channels >= 4 && multiplier === 1 && isEven(view) && channelsOf(view) !== null;
}

/** True for what the header for columns takes. */
function takesColumns(view: View): boolean {
  const { kernel, channels, multiplier, outWidth } = depthwiseGeometry(view);
  // What is widened for a single output is not worth writing down.
  const isPlain = outWidth > 1 && kernel[0] <= 16 && (kernel[1] === 1 || view.attrs.dilation[1] === 1);
  return isPlain && channels >= 4 && multiplier === 1 && channelsOf(view) !== null;
}

const common = { form: "row", isa: "dsp", pixelSteps: true, types } as const;

/** A kernel of int8 weights for int4 ones. */
const narrow = (kernel: Kernel<DepthwiseConv2dAttrs>): Kernel<DepthwiseConv2dAttrs> => ({
  ...kernel,
  name: kernel.name.replace("s8", "s8_w4"),
  types: { inputs: ["int8", "int4", "int32"], outputs: ["int8"] },
});

const by3x3: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  { ...common, name: "dsp s8 3x3", matches: takes3x3, call: (view) => call3x3Of(view, scratchLimit) },
  { ...common, name: "dsp s8 3x3, lean", matches: takes3x3, call: (view) => call3x3Of(view, 0) },
];
const byColumns: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  { ...common, name: "dsp s8 columns", matches: takesColumns, call: (view) => callColumnsOf(view, planesLimit) },
  { ...common, name: "dsp s8 columns, lean", matches: takesColumns, call: (view) => callColumnsOf(view, 0) },
];

/** The most taps whose products of int16 and int8 sum up to 32 bits. */
const mostWideTaps = 511;

/** int16 activations, four channels at a time, from the portable kernels' weights. */
const wideKernels = weightedKernels(depthwise, ["s16", "s16_b32"]).map(
  (kernel): Kernel<DepthwiseConv2dAttrs> => ({
    ...kernel,
    name: kernel.name.replace("portable", "dsp"),
    isa: "dsp",
    matches: (view) => {
      const { kernel: taps, channels, multiplier } = depthwiseGeometry(view);
      return multiplier === 1 && channels >= 4 && taps[0] * taps[1] <= mostWideTaps;
    },
    call: (view) => {
      const call = kernel.call(view);
      return {
        ...call,
        source: "ops/depthwise_conv2d/depthwise_conv2d_s16_dsp.h",
        symbol: `${call.symbol}_dsp`,
      };
    },
  }),
);

/**
 * int8 on cores with SIMD on halves of words. The lean kernels widen fewer columns at a time, some of them twice, and take
 * less scratch for the same weights.
 */
export const depthwiseDsp: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  ...by3x3.slice(0, 1),
  ...byColumns.slice(0, 1),
  {
    name: "dsp s8",
    ...common,
    matches: (view) => {
      const { kernel, channels, outWidth } = depthwiseGeometry(view);
      // Neighbours in a row share words: of a narrow image or kernel there are none.
      const isWide = kernel[1] > 1 && kernel[1] <= maxTaps && outWidth > 1;
      return isWide && channels > 0 && isEven(view) && channelsOf(view) !== null;
    },
    call: callOf,
  },
  {
    name: "dsp s8 any",
    ...common,
    matches: (view) => {
      const { channels, multiplier } = depthwiseGeometry(view);
      return channels >= 4 && multiplier === 1 && channelsOf(view) !== null;
    },
    call: callAnyOf,
  },
  ...by3x3.slice(1),
  ...byColumns.slice(1),
  ...[...by3x3.slice(0, 1), ...byColumns.slice(0, 1), ...by3x3.slice(1), ...byColumns.slice(1)].map(narrow),
  ...wideKernels,
];
