import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { lanesCall, lanesForms } from "../common/lanes-armv6m.js";
import { perNode } from "../common/per-node.js";
import { multiplierStep, quantizedFinish } from "../common/requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, pixelStep, zeroPointOf } from "../common/view.js";
import { multipliersOf } from "../common/weighted.js";
import { finishPieces, isFinishShift, type PackedLanes, packLanes } from "../common/weighted-armv6m.js";
import { dspChannels } from "../common/weighted-dsp.js";
import type { Kernel, KernelCall } from "../spec.js";
import { byChannels, type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** Kernels by the bytes of scratch that a block may take, if it is more than four outputs: less takes more instructions. */
const scratchLimits = [
  ["armv6m s8", 1024],
  ["armv6m s8, short blocks", 256],
  ["armv6m s8, four outputs", 0],
] as const;

/** Weights [channels][groups of three rows, the last of what is left][columns][rows], the rest one for each channel. */
interface Channels {
  readonly weights: Int8Array;
  readonly biases: Int32Array;
  readonly multipliers: Int32Array;
  readonly rights: Int8Array;
  readonly pieces: 3 | 4;
}

/** The channels, input zero points in the biases; null where some sum or shift is not of the range of the finish. */
const channelsOf = perNode(depthwise.index, (view: View): Channels | null => {
  const { outChannels, kernel } = depthwiseGeometry(view);
  const [given, bias, output] = [inputOf(view, 1), optionalInput(view, 2), outputOf(view, 0)];
  if (given.data === null || (bias !== null && bias.data === null)) return null;
  const data = given.data as Int8Array;
  const [rows, columns] = kernel;
  const depth = rows * columns;
  const [zero, outZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(output)];
  const m = multipliersOf(depthwise, view);
  const finish = quantizedFinish(m, outZero, quantizedActivationRange(view.attrs.activation, output), false);
  const given32 = asDoubles(bias?.data) ?? new Float64Array(outChannels);
  const weights = new Int8Array(outChannels * depth);
  const biases = new Int32Array(outChannels);
  const multipliers = new Int32Array(outChannels);
  const rights = new Int8Array(outChannels);
  for (let c = 0; c < outChannels; c++) {
    let [positive, negative] = [0, 0];
    for (let t = 0; t < rows * columns; t++) {
      const w = data[t * outChannels + c] as number;
      const [row, column] = [Math.floor(t / columns), t % columns];
      const first = row - (row % 3);
      weights[c * depth + first * columns + column * Math.min(rows - first, 3) + (row % 3)] = w;
      if (w > 0) positive += w;
      else negative -= w;
    }
    // Padding is a zero point like any other value.
    const folded = (given32[c] as number) - zero * (positive - negative);
    const [low, high] = [folded - 128 * positive - 127 * negative, folded + 127 * positive + 128 * negative];
    if (Math.max(-low, high) >= 2 ** 31) return null;
    const shift = m.shifts[c * multiplierStep(m)] as number;
    const value = finish(low, c);
    if (shift <= 0 && value === finish(high, c)) {
      // The same for every input: half of a fourth of four times the value, both exact.
      weights.fill(0, c * depth, (c + 1) * depth);
      biases[c] = 4 * (value - outZero);
      multipliers[c] = 2 ** 30;
      rights[c] = 1;
      continue;
    }
    if (!isFinishShift(-shift)) return null;
    biases[c] = folded;
    multipliers[c] = m.multipliers[c * multiplierStep(m)] as number;
    rights[c] = -shift;
  }
  const pieces = finishPieces({ weights, depth, biases, rights });
  return pieces && { weights, biases, multipliers, rights, pieces };
});

/** How the row is cut, what columns a block takes, and its scratch. */
function blocksOf(view: View, scratchLimit: number) {
  const { kernel, outWidth, multiplier } = depthwiseGeometry(view);
  const [stride, dilation] = [view.attrs.stride[1], view.attrs.dilation[1]];
  const groups = Math.ceil(kernel[0] / 3);
  const columnsOf = (outputs: number) => (outputs - 1) * stride + (kernel[1] - 1) * dilation + 1;
  const fours = (outputs: number) => 4 * Math.ceil(outputs / 4);
  const bytes = (outputs: number) => 12 * groups * columnsOf(fours(outputs)) + 12 * kernel[1] + 4 * fours(outputs);
  let parts = 1;
  const block = () => Math.min(fours(Math.ceil(outWidth / parts)), outWidth);
  while (block() > 4 && bytes(block()) > scratchLimit) parts++;
  const outputs = block();
  const count = Math.ceil(outWidth / outputs);
  return {
    // What a block widens, shared out among its weights.
    blocks: { count, words: (count * 3 * groups * columnsOf(outputs)) / (multiplier * kernel[0] * kernel[1]) },
    fields: { block: outputs, columns: columnsOf(outputs), room: columnsOf(fours(outputs)), groups },
    scratchBytes: bytes(outputs),
  };
}

function callOf(view: View, scratchLimit: number): KernelCall {
  const channels = channelsOf(view);
  if (channels === null) throw new Error("channels out of range");
  const { weights, biases, multipliers, rights, pieces } = channels;
  const { fields, blocks, scratchBytes } = blocksOf(view, scratchLimit);
  const g = depthwiseGeometry(view);
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(view.attrs.activation, output);
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_armv6m.h",
    symbol: "th_depthwise_conv2d_s8_armv6m",
    params: {
      type: "th_depthwise_conv2d_s8_armv6m_params",
      fields: {
        ...fields,
        in_w: g.width,
        in_c: g.channels,
        in_step: pixelStep(view, inputOf(view, 0)),
        out_w: g.outWidth,
        out_step: pixelStep(view, output),
        k_h: g.kernel[0],
        k_w: g.kernel[1],
        multiplier: g.multiplier,
        stride_w: view.attrs.stride[1],
        dilation_w: view.attrs.dilation[1],
        pad_left: g.padLeft,
        in_zero: zeroPointOf(inputOf(view, 0)),
        zero2: 2 * zeroPointOf(output) + 1,
        pieces,
        min: range.min,
        max: range.max,
      },
    },
    args: [
      { kind: "rows", index: 0 },
      { kind: "constant", label: "weights", dtype: "int8", data: weights },
      { kind: "constant", label: "biases", dtype: "int32", data: biases },
      { kind: "constant", label: "multipliers", dtype: "int32", data: multipliers },
      { kind: "constant", label: "shifts", dtype: "int8", data: rights },
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    scratchBytes,
    blocks,
  };
}

/** The weights of one input channel's convolution, for conv2d_s8_armv6m.h; null where that does not take them. */
const packedSingle = perNode(depthwise.index, (view: View): PackedLanes | null => {
  const turned = byChannels(view);
  const lowered = turned && dspChannels(depthwise, turned);
  return lowered && packLanes(lowered);
});

const common = {
  form: "row",
  isa: "armv6m",
  pixelSteps: true,
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
} as const;

/** int8 on Armv6-M: many outputs of one input channel are a convolution's. */
export const depthwiseArmv6m: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  ...lanesForms.map(
    ([suffix, most]): Kernel<DepthwiseConv2dAttrs> => ({
      ...common,
      name: `armv6m s8, one channel${suffix}`,
      matches: (view) => depthwiseGeometry(view).channels === 1 && packedSingle(view) !== null,
      call: (view) => {
        const { outChannels, outWidth } = depthwiseGeometry(view);
        const { multiplier, ...sizes } = depthwise.fields(view);
        const { activation } = view.attrs;
        const lanes = present(packedSingle(view), "packed weights");
        const call = { view, activation, lanes, sizes: { ...sizes, out_c: outChannels }, pixels: outWidth };
        return lanesCall(call, "row", most);
      },
    }),
  ),
  ...scratchLimits.map(
    ([name, limit]): Kernel<DepthwiseConv2dAttrs> => ({
      ...common,
      name,
      matches: (view) => channelsOf(view) !== null,
      call: (view) => callOf(view, limit),
    }),
  ),
];
