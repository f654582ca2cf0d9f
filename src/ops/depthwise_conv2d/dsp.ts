import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { multiplierStep, quantizedFinish } from "../common/requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, pixelStep, zeroPointOf } from "../common/view.js";
import { multipliersOf } from "../common/weighted.js";
import type { CValue, Kernel, KernelCall } from "../spec.js";
import { type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** The widest window along a row, for which the header has functions. */
const maxTaps = 11;
/** Right shifts of the finish in five instructions; beyond, the zero point overflows. */
const maxRight = 22;
/** Bytes of scratch that a block may take, if it is more than four outputs. */
const scratchLimit = 768;
/** The same for large kernels, and for many outputs of one input channel, where each block prepares many weights. */
const planesLimit = 1152;

/** Weights [channels][taps], twice the biases, multipliers and right shifts, one for each output channel. */
interface Channels {
  readonly weights: Int8Array;
  readonly biases2: Int32Array;
  readonly multipliers: Int32Array;
  readonly rights: Int8Array;
}

/** The channels, or null where some sum or shift is not of the range that the finish is right for. */
function channelsOf(view: View): Channels | null {
  const { outChannels, kernel } = depthwiseGeometry(view);
  const [given, bias, output] = [inputOf(view, 1), optionalInput(view, 2), outputOf(view, 0)];
  if (given.data === null || (bias !== null && bias.data === null)) return null;
  const data = given.data as Int8Array;
  const taps = kernel[0] * kernel[1];
  const zero = zeroPointOf(inputOf(view, 0));
  const outZero = zeroPointOf(output);
  const biases = asDoubles(bias?.data) ?? new Float64Array(outChannels);
  const m = multipliersOf(depthwise, view);
  const finish = quantizedFinish(m, outZero, quantizedActivationRange(view.attrs.activation, output), false);
  // Three bytes more, as weights are read four at a time.
  const weights = new Int8Array(outChannels * taps + 3);
  const biases2 = new Int32Array(outChannels);
  const multipliers = new Int32Array(outChannels);
  const rights = new Int8Array(outChannels);
  for (let c = 0; c < outChannels; c++) {
    let [positive, negative] = [0, 0];
    for (let t = 0; t < taps; t++) {
      const w = data[t * outChannels + c] as number;
      weights[c * taps + t] = w;
      if (w > 0) positive += w;
      else negative -= w;
    }
    const [least, most] = [-128 - zero, 127 - zero];
    // Padding leaves products out, so no sum is further from the bias than all of one sign.
    const low = (biases[c] as number) + least * positive - most * negative;
    const high = (biases[c] as number) + most * positive - least * negative;
    if (low <= -(2 ** 30) || high >= 2 ** 30) return null;
    const shift = m.shifts[c * multiplierStep(m)] as number;
    const value = finish(low, c);
    if (shift <= 0 && value === finish(high, c)) {
      // The same for every input: half of a fourth of four times the value, both exact.
      weights.fill(0, c * taps, (c + 1) * taps);
      biases2[c] = 8 * (value - outZero);
      multipliers[c] = 2 ** 30;
      rights[c] = 1;
      continue;
    }
    if (shift > -1 || shift < -maxRight) return null;
    biases2[c] = 2 * (biases[c] as number);
    multipliers[c] = m.multipliers[c * multiplierStep(m)] as number;
    rights[c] = -shift;
  }
  return { weights, biases2, multipliers, rights };
}

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

const argsOf = ({ biases2, multipliers, rights }: Channels, weights: Int8Array): KernelCall["args"] => [
  { kind: "rows", index: 0 },
  { kind: "constant", label: "weights", dtype: "int8", data: weights },
  { kind: "constant", label: "biases", dtype: "int32", data: biases2 },
  { kind: "constant", label: "multipliers", dtype: "int32", data: multipliers },
  { kind: "constant", label: "shifts", dtype: "int8", data: rights },
  { kind: "scratch" },
  { kind: "output", index: 0 },
];

/** 3x3 weights as th_depthwise_prepare reads them: groups of four channels, the last of the last four. */
function groupsOf3x3(weights: Int8Array, channels: number): Int8Array {
  const groups: number[] = [];
  for (let done = 0; done < channels; done += 4) {
    const first = Math.min(done, channels - 4);
    const at = (channel: number, row: number, column: number) =>
      weights[(first + channel) * 9 + row * 3 + column] as number;
    for (let x = 0; x < 3; x++) {
      for (const pair of [0, 2]) groups.push(at(pair, 0, x), at(pair + 1, 0, x), at(pair, 1, x), at(pair + 1, 1, x));
      for (let c = 0; c < 4; c++) groups.push(at(c, 2, x));
    }
  }
  return Int8Array.from(groups);
}

/** Bytes of what is prepared of four channels, and of a column. */
const [fourBytes, columnBytes] = [136, 24];

function call3x3Of(view: View): KernelCall {
  const { outWidth, channels: count } = depthwiseGeometry(view);
  const stride = view.attrs.stride[1];
  const channels = channelsOf(view) as Channels;
  const bytes = (outputs: number) => fourBytes + columnBytes * ((outputs - 1) * stride + 3);
  let parts = 1;
  const block = () => Math.ceil(outWidth / parts);
  while (block() > 4 && bytes(block()) > scratchLimit) parts++;
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_dsp_3x3.h",
    symbol: `th_depthwise_conv2d_s8_dsp_3x3_${stride}`,
    params: { type: "th_depthwise_conv2d_dsp_3x3_params", fields: { ...commonFields(view), block: block() } },
    args: argsOf(channels, groupsOf3x3(channels.weights, count)),
    scratchBytes: bytes(block()),
  };
}

/** Weights as the header for any kernel reads them, and biases without the input's zero point. */
function groupsOfAny({ weights, biases2 }: Channels, count: number, [rows, columns]: readonly number[], zero: number) {
  const [height, width] = [rows as number, columns as number];
  const groups: number[] = [];
  const at = (channel: number, row: number, column: number) =>
    row < height ? (weights[(channel * height + row) * width + column] as number) : 0;
  for (let done = 0; done < count; done += 4) {
    const first = Math.min(done, count - 4);
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y += 2) {
        for (const c of [first, first + 2])
          groups.push(at(c, y, x), at(c + 1, y, x), at(c, y + 1, x), at(c + 1, y + 1, x));
      }
    }
  }
  const taps = height * width;
  const biases = biases2.map((twice, c) => {
    let sum = 0;
    for (let t = c * taps; t < (c + 1) * taps; t++) sum += weights[t] as number;
    return twice / 2 - zero * sum;
  });
  return { weights: Int8Array.from(groups), biases };
}

function callColumnsOf(view: View): KernelCall {
  const { outWidth, kernel, channels: count } = depthwiseGeometry(view);
  const channels = channelsOf(view) as Channels;
  const stride = view.attrs.stride[1];
  const pairs = Math.ceil(kernel[0] / 2);
  const bytes = (outputs: number) => 64 + 16 * pairs * (kernel[1] + (outputs - 1) * stride + kernel[1]);
  let parts = 1;
  const block = () => Math.ceil(outWidth / parts);
  while (block() > 4 && bytes(block()) > planesLimit) parts++;
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_dsp_columns.h",
    symbol: `th_depthwise_conv2d_s8_dsp_columns_${pairs}`,
    params: { type: "th_depthwise_conv2d_dsp_columns_params", fields: { ...commonFields(view), block: block() } },
    args: argsOf(channels, groupsOfAny(channels, count, kernel, 0).weights),
    scratchBytes: bytes(block()),
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

/** int8 on cores with SIMD on halves of words. */
export const depthwiseDsp: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  {
    name: "dsp s8 3x3",
    form: "row",
    isa: "dsp",
    pixelSteps: true,
    types,
    matches: (view) => {
      const { kernel, channels, multiplier } = depthwiseGeometry(view);
      return (
        kernel[0] === 3 &&
        kernel[1] === 3 &&
        channels >= 4 &&
        multiplier === 1 &&
        isEven(view) &&
        channelsOf(view) !== null
      );
    },
    call: call3x3Of,
  },
  {
    name: "dsp s8 columns",
    form: "row",
    isa: "dsp",
    pixelSteps: true,
    types,
    matches: (view) => {
      const { kernel, channels, multiplier, outWidth } = depthwiseGeometry(view);
      // What is widened for a single output is not worth writing down.
      const isPlain = outWidth > 1 && kernel[0] <= 16 && (kernel[1] === 1 || view.attrs.dilation[1] === 1);
      return isPlain && channels >= 4 && multiplier === 1 && channelsOf(view) !== null;
    },
    call: callColumnsOf,
  },
  {
    name: "dsp s8",
    form: "row",
    isa: "dsp",
    pixelSteps: true,
    types,
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
    form: "row",
    isa: "dsp",
    pixelSteps: true,
    types,
    matches: (view) => {
      const { channels, multiplier } = depthwiseGeometry(view);
      return channels >= 4 && multiplier === 1 && channelsOf(view) !== null;
    },
    call: callAnyOf,
  },
];
