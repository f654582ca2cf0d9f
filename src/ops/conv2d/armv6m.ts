import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, zeroPointOf } from "../common/view.js";
import { lanesPixels, lanesWords, type PackedLanes, packLanes } from "../common/weighted-armv6m.js";
import { dspChannels } from "../common/weighted-dsp.js";
import type { Kernel, KernelArg, KernelCall } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

/** Weights as they are in the file, channel by channel; null where the kernels do not take the node. */
const packed = perNode(weightedConv2d.index, (view: View): PackedLanes | null => {
  const { channels, filterChannels } = conv2dGeometry(view);
  if (channels !== filterChannels) return null;
  const lowered = dspChannels(weightedConv2d, view);
  return lowered && packLanes(lowered);
});

/** Outputs are the products of single input pixels, one after another. */
function isByPixels(view: View): boolean {
  const { kernel, height, width, outHeight, outWidth } = conv2dGeometry(view);
  const { stride } = view.attrs;
  const single = kernel.every((n) => n === 1) && stride.every((n) => n === 1);
  return single && height === outHeight && width === outWidth;
}

function paramsOf(view: View, lanes: PackedLanes, pixels: number, block: number): KernelCall["params"] {
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(view.attrs.activation, output);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const fields = {
    block,
    depth: lanes.padded,
    run: lanes.runBytes,
    ...sizes,
    out_w: pixels,
    in_zero: zeroPointOf(inputOf(view, 0)),
    zero2: 2 * zeroPointOf(output) + 1,
    pieces: lanes.pieces,
    min: range.min,
    max: range.max,
  };
  return { type: "th_conv2d_s8_armv6m_params", fields };
}

/** A call that packs `most` pixels at a time, or as many as there are. */
function callOf(view: View, form: "row" | "pixels", most: number): KernelCall {
  const lanes = packed(view);
  if (lanes === null) throw new Error("weights that do not pack");
  const { batch, outHeight, outWidth, kernel, channels } = conv2dGeometry(view);
  const { stride, dilation } = view.attrs;
  const pixels = form === "row" ? outWidth : batch * outHeight * outWidth;
  const block = Math.min(most, pixels);
  const stream: KernelArg = { kind: "constant", label: "lanes", dtype: "int32", data: lanes.stream };
  const values = 4 * lanes.padded * lanesWords(block);
  const [full, left] = [Math.floor(pixels / block), pixels % block];
  const columns = (block - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
  return {
    source: "ops/conv2d/conv2d_s8_armv6m.h",
    // A function for each block size, though one serves them all, so that their times are told apart.
    symbol: `th_conv2d_s8_armv6m${form === "row" ? "" : "_pixels"}${most < lanesPixels ? `_${most}` : ""}`,
    params: paramsOf(view, lanes, pixels, block),
    args: [
      form === "row" ? { kind: "rows", index: 0 } : { kind: "input", index: 0 },
      stream,
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: values + (form === "row" ? columns * channels : 0),
    blocks: { count: Math.ceil(pixels / block), words: full * lanesWords(block) + lanesWords(left) },
  };
}

const common = {
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
  isa: "armv6m",
  pixelSteps: true,
} as const;

/** Kernels that compute `most` pixels at a time; names end in `suffix`. */
const kernelsOf = (suffix: string, most: number): readonly Kernel<Conv2dAttrs>[] => [
  {
    ...common,
    name: `armv6m s8, by pixels${suffix}`,
    form: "slice",
    matches: (view) => isByPixels(view) && packed(view) !== null,
    call: (view) => callOf(view, "pixels", most),
  },
  {
    ...common,
    name: `armv6m s8${suffix}`,
    form: "row",
    matches: (view) => packed(view) !== null,
    call: (view) => callOf(view, "row", most),
  },
];

/**
 * For Armv6-M: convolutions without groups, 1x1 ones over all pixels at once. Those that compute fewer pixels at a time
 * take less scratch and more instructions for the same weights.
 */
export const armv6mKernels: readonly Kernel<Conv2dAttrs>[] = [
  ...kernelsOf("", lanesPixels),
  ...kernelsOf(", three pixels", 3),
  ...kernelsOf(", one pixel", 1),
];
