import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, optionalInput, outputOf, pixelStep, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import type { DspChannels } from "../common/weighted-dsp.js";
import { heliumChannels, isRelu, packFours, Stream } from "../common/weighted-helium.js";
import { windowsCall } from "../common/windows-helium.js";
import type { Kernel, KernelCall } from "../spec.js";
import { type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** The node's weights as [channels][taps], so that they are those of sums of products, one channel after another. */
function byChannels(view: View): View | null {
  const { kernel, outChannels } = depthwiseGeometry(view);
  const weights = inputOf(view, 1);
  if (weights.data === null) return null;
  const taps = kernel[0] * kernel[1];
  const given = weights.data as Int8Array;
  const data = new Int8Array(given.length);
  for (let c = 0; c < outChannels; c++)
    for (let t = 0; t < taps; t++) data[c * taps + t] = given[t * outChannels + c] as number;
  const quant = weights.quant && weights.quant.scales.length > 1 ? { ...weights.quant, axis: 0 } : weights.quant;
  const turned = { ...weights, shape: [outChannels, ...kernel, 1], data, quant };
  return { ...view, inputs: [view.inputs[0] ?? null, turned, optionalInput(view, 2)] };
}

/** Channels that the stream is made of; null where products of two taps may not fit 16 bits. */
const channelsOf = perNode(depthwise.index, (view: View): DspChannels | null => {
  const turned = byChannels(view);
  const channels = turned && heliumChannels(depthwise as Weighted<DepthwiseConv2dAttrs>, turned);
  if (!channels) return null;
  const { weights, depth, biases } = channels;
  for (let c = 0; c < biases.length; c++) {
    for (let t = 0; t + 1 < depth; t += 2) {
      const [first, second] = [weights[c * depth + t] as number, weights[c * depth + t + 1] as number];
      if (Math.abs(first) + Math.abs(second) > 255) return null;
    }
  }
  return channels;
});

/** Weights [taps][count], then what the channels are scaled with, part by part, each a list of channels that may not be there. */
function packChannels(
  { weights, depth, biases, multipliers, rights }: DspChannels,
  first: number,
  count: number,
  parts: readonly (readonly number[])[],
  stream: Stream,
): void {
  for (let t = 0; t < depth; t++) {
    for (let c = first; c < first + count; c++) stream.bytes([weights[c * depth + t] as number]);
  }
  stream.align();
  for (const part of parts) {
    stream.words(part.map((i) => biases[first + i] ?? 0));
    stream.words(part.map((i) => multipliers[first + i] ?? 0));
    stream.bytes(part.map((i) => -(rights[first + i] ?? 0)));
    stream.align();
  }
}

/** Four channels from `start` on. */
const lanes = (start: number, step: number): readonly number[] => [0, 1, 2, 3].map((i) => start + i * step);

/** The stream of all channels: groups of sixteen, then of at most eight. */
function packed(channels: DspChannels): Int32Array {
  const stream = new Stream();
  const count = channels.biases.length;
  let first = 0;
  for (; first + 16 <= count; first += 16)
    packChannels(channels, first, 16, [lanes(0, 4), lanes(2, 4), lanes(1, 4), lanes(3, 4)], stream);
  for (; first < count; first += 8) {
    const some = Math.min(8, count - first);
    packChannels(channels, first, some, [lanes(0, 2), lanes(1, 2)], stream);
  }
  return stream.toWords();
}

function callOf(view: View): KernelCall {
  const g = depthwiseGeometry(view);
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(view.attrs.activation, output);
  const isFull = isRelu(depthwise, view) && range.min === -128 && range.max === 127;
  return {
    source: "ops/depthwise_conv2d/depthwise_conv2d_s8_helium.h",
    symbol: `th_depthwise_conv2d_s8_helium${isFull ? "_relu" : ""}`,
    params: {
      type: "th_depthwise_conv2d_helium_params",
      fields: {
        in_w: g.width,
        in_c: g.channels,
        in_step: pixelStep(view, inputOf(view, 0)),
        out_w: g.outWidth,
        out_step: pixelStep(view, output),
        k_h: g.kernel[0],
        k_w: g.kernel[1],
        stride_w: view.attrs.stride[1],
        dilation_w: view.attrs.dilation[1],
        pad_left: g.padLeft,
        in_zero: zeroPointOf(inputOf(view, 0)),
        out_zero: zeroPointOf(output),
        min: range.min,
        max: range.max,
      },
    },
    args: [
      { kind: "rows", index: 0 },
      {
        kind: "constant",
        label: "sixteens",
        dtype: "int32",
        data: packed(present(channelsOf(view), "weights for Helium")),
      },
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    // Pointers of a host have eight bytes.
    scratchBytes: 8 * g.kernel[0] * g.kernel[1] + g.channels,
  };
}

/** Weights of the outputs of one input channel, which are those of a convolution. */
const packedSingle = perNode(depthwise.index, (view: View): Int32Array | null => {
  const turned = byChannels(view);
  const channels = turned && heliumChannels(depthwise, turned);
  return channels && packFours(channels, "in the stream");
});

function singleCallOf(view: View): KernelCall {
  const g = depthwiseGeometry(view);
  const { multiplier, ...sizes } = depthwise.fields(view);
  const w = {
    sizes: { ...sizes, out_c: g.outChannels },
    input: inputOf(view, 0),
    output: outputOf(view, 0),
    stream: present(packedSingle(view), "weights for Helium"),
    depth: g.kernel[0] * g.kernel[1],
    rows: 1,
    outWidth: g.outWidth,
    activation: view.attrs.activation,
  };
  return windowsCall(w, true);
}

/** For Helium: convolutions with one output per channel, and of one channel. */
export const depthwiseHelium: readonly Kernel<DepthwiseConv2dAttrs>[] = [
  {
    name: "helium s8",
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
    matches: (view) => depthwiseGeometry(view).multiplier === 1 && channelsOf(view) !== null,
    call: callOf,
  },
  {
    name: "helium s8, one channel",
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
    matches: (view) => depthwiseGeometry(view).channels === 1 && packedSingle(view) !== null,
    call: singleCallOf,
  },
];
