import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, pixelStep, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { type HeliumChannels, heliumChannels, isRelu, Stream } from "../common/weighted-helium.js";
import { wideChannels } from "../common/weighted-helium-s16.js";
import { narrowChannels, nibbles } from "../common/weighted-helium-w4.js";
import { type HeliumType, heliumS8, otherHeliumTypes, windowsCall } from "../common/windows-helium.js";
import type { Kernel, KernelCall } from "../spec.js";
import { byChannels, type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

type View = NodeView<DepthwiseConv2dAttrs>;

/** Channels that the stream is made of; null where products of two taps may not fit 16 bits. */
const channelsOf = perNode(depthwise.index, (view: View): HeliumChannels | null => {
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
  { weights, depth, biases, multipliers, rights }: HeliumChannels,
  first: number,
  count: number,
  parts: readonly (readonly number[])[],
  stream: Stream,
  hasShifts = true,
): void {
  for (let t = 0; t < depth; t++) {
    for (let c = first; c < first + count; c++) stream.bytes([weights[c * depth + t] as number]);
  }
  stream.align();
  for (const part of parts) {
    stream.words(part.map((i) => biases[first + i] ?? 0));
    stream.words(part.map((i) => multipliers[first + i] ?? 0));
    if (hasShifts) stream.bytes(part.map((i) => -(rights[first + i] ?? 0)));
  }
}

/** Four channels from `start` on. */
const lanes = (start: number, step: number): readonly number[] => [0, 1, 2, 3].map((i) => start + i * step);

/** The stream of all channels: groups of sixteen, then of at most eight. */
function packed(channels: HeliumChannels): Int32Array {
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

/** A call of a kernel that takes a row's window and packed weights. @param size bytes of an activation */
function rowCall(view: View, source: string, symbol: string, stream: Int32Array, size: number): KernelCall {
  const g = depthwiseGeometry(view);
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(view.attrs.activation, output);
  return {
    source: `ops/depthwise_conv2d/${source}.h`,
    symbol,
    params: {
      type: "th_depthwise_conv2d_helium_params",
      fields: {
        in_w: g.width,
        in_c: g.channels,
        in_step: size * pixelStep(view, inputOf(view, 0)),
        out_w: g.outWidth,
        out_step: size * pixelStep(view, output),
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
      { kind: "constant", label: "channels", dtype: "int32", data: stream },
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    // Pointers of a host have eight bytes.
    scratchBytes: 8 * g.kernel[0] * g.kernel[1] + size * g.channels,
  };
}

function callOf(view: View): KernelCall {
  const range = quantizedActivationRange(view.attrs.activation, outputOf(view, 0));
  const isFull = isRelu(depthwise, view) && range.min === -128 && range.max === 127;
  const stream = packed(present(channelsOf(view), "weights for Helium"));
  const source = "depthwise_conv2d_s8_helium";
  return rowCall(view, source, `th_${source}${isFull ? "_relu" : ""}`, stream, 1);
}

/** From the same weights without scratch, in more instructions. */
function leanCallOf(view: View): KernelCall {
  const source = "depthwise_conv2d_s8_helium_lean";
  const call = rowCall(view, source, `th_${source}`, packed(present(channelsOf(view), "weights for Helium")), 1);
  return { ...call, args: call.args.filter(({ kind }) => kind !== "scratch"), scratchBytes: 0 };
}

/** int16 activations: groups of at most eight channels. */
function wideKernel(suffix: "s16" | "s16_b32"): Kernel<DepthwiseConv2dAttrs> {
  const isTwice = suffix === "s16_b32";
  const packedWide = perNode(depthwise.index, (view: View): Int32Array | null => {
    const turned = byChannels(view);
    const channels = turned && wideChannels(depthwise, turned, isTwice ? "twice" : "once");
    if (!channels) return null;
    const stream = new Stream();
    const count = channels.biases.length;
    for (let first = 0; first < count; first += 8)
      packChannels(channels, first, Math.min(8, count - first), [lanes(0, 2), lanes(1, 2)], stream, isTwice);
    return stream.toWords();
  });
  return {
    name: `helium ${suffix}`,
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: { inputs: ["int16", "int8", isTwice ? "int32" : "int64"], outputs: ["int16"] },
    matches: (view) => depthwiseGeometry(view).multiplier === 1 && packedWide(view) !== null,
    call: (view) => {
      const stream = present(packedWide(view), "weights for Helium");
      return rowCall(view, "depthwise_conv2d_s16_helium", `th_depthwise_conv2d_${suffix}_helium`, stream, 2);
    },
  };
}

/** Taps whose products with int4 weights may be added in 16 bits. */
const mostTaps = 31;

/** The stream of n channels with int4 weights that depthwise_conv2d_s8_w4_helium.h reads. */
function packNarrow(channels: HeliumChannels, first: number, n: number, stream: Stream): void {
  const { weights, depth } = channels;
  const weightsAt = (t: number): readonly number[] =>
    Array.from({ length: n }, (_, i) => weights[(first + i) * depth + t] as number);
  for (let t = 0; t + 1 < depth; t += 2) stream.bytes(nibbles(Int8Array.from([...weightsAt(t), ...weightsAt(t + 1)])));
  if (depth % 2 === 1) {
    const single = weightsAt(depth - 1);
    const [even, odd] = [0, 1].map((side) => single.filter((_, i) => i % 2 === side)) as [number[], number[]];
    stream.bytes(nibbles(Int8Array.from([...even, ...odd])));
  }
  stream.align();
  for (const start of [0, 2, 1, 3]) {
    const part = Array.from({ length: (n - start + 3) >> 2 }, (_, i) => start + 4 * i);
    stream.words(part.map((i) => channels.biases[first + i] as number));
    stream.words(part.map((i) => channels.multipliers[first + i] as number));
    stream.bytes(part.map((i) => -(channels.rights[first + i] as number)));
    stream.align();
  }
}

const packedNarrow = perNode(depthwise.index, (view: View): Int32Array | null => {
  const turned = byChannels(view);
  const channels = turned && narrowChannels(depthwise, turned);
  if (!channels || channels.depth > mostTaps) return null;
  const stream = new Stream();
  const count = channels.biases.length;
  for (let first = 0; first < count; first += 16) packNarrow(channels, first, Math.min(16, count - first), stream);
  return stream.toWords();
});

/** One input channel: the outputs are those of a convolution. */
function singleKernel(type: HeliumType): Kernel<DepthwiseConv2dAttrs> {
  const packedSingle = perNode(depthwise.index, (view: View): Int32Array | null => {
    const turned = byChannels(view);
    return turned && type.pack(depthwise, turned);
  });
  return {
    name: `helium ${type.suffix}, one channel`,
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: type.types,
    matches: (view) => depthwiseGeometry(view).channels === 1 && packedSingle(view) !== null,
    call: (view) => {
      const g = depthwiseGeometry(view);
      const { multiplier, ...sizes } = depthwise.fields(view);
      const w = {
        type,
        view,
        sizes: { ...sizes, out_c: g.outChannels },
        stream: present(packedSingle(view), "weights for Helium"),
        depth: g.kernel[0] * g.kernel[1],
        rows: 1,
        outWidth: g.outWidth,
        activation: view.attrs.activation,
      };
      return windowsCall(w, true);
    },
  };
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
    name: "helium s8, lean",
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
    matches: (view) => depthwiseGeometry(view).multiplier === 1 && channelsOf(view) !== null,
    call: leanCallOf,
  },
  {
    name: "helium s8_w4",
    form: "row",
    isa: "helium",
    pixelSteps: true,
    types: { inputs: ["int8", "int4", "int32"], outputs: ["int8"] },
    matches: (view) => depthwiseGeometry(view).multiplier === 1 && packedNarrow(view) !== null,
    call: (view) => {
      const stream = present(packedNarrow(view), "weights for Helium");
      return rowCall(view, "depthwise_conv2d_s8_w4_helium", "th_depthwise_conv2d_s8_w4_helium", stream, 1);
    },
  },
  wideKernel("s16"),
  wideKernel("s16_b32"),
  ...[heliumS8, ...otherHeliumTypes].map(singleKernel),
];
