import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, zeroPointOf } from "../common/view.js";
import { weightedKernels } from "../common/weighted.js";
import { dspChannels, type PackedPairs, packPairs, widenedOrder } from "../common/weighted-dsp.js";
import type { Kernel, KernelArg, KernelCall } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

/** Weights in the order in which windows are widened; null where the kernels do not take the node. */
const packed = perNode(weightedConv2d.index, (view: View): PackedPairs | null => {
  const { kernel, channels, filterChannels } = conv2dGeometry(view);
  if (channels !== filterChannels) return null;
  const lowered = dspChannels(weightedConv2d, view);
  return lowered && packPairs(lowered, widenedOrder(kernel[0], kernel[1] * channels));
});

/** Outputs are the products of single input pixels, one after another. */
function isByPixels(view: View): boolean {
  const { kernel, height, width, outHeight, outWidth } = conv2dGeometry(view);
  const { stride } = view.attrs;
  const single = kernel.every((n) => n === 1) && stride.every((n) => n === 1);
  return single && height === outHeight && width === outWidth;
}

function paramsOf(
  view: View,
  { words, finish, add }: PackedPairs,
  pixels: number,
  block: number,
): KernelCall["params"] {
  const { attrs } = view;
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(attrs.activation, output);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const fields = {
    words,
    row_words: words / conv2dGeometry(view).kernel[0],
    ...sizes,
    out_w: pixels,
    in_zero: zeroPointOf(inputOf(view, 0)),
    block,
    finish,
    add,
    out_zero: zeroPointOf(output),
    min: range.min,
    max: range.max,
  };
  return { type: "th_conv2d_s8_dsp_params", fields };
}

/** A call that widens `block` pixels at a time. */
function callOf(view: View, form: "row" | "pixels", block: number): KernelCall {
  const pairs = packed(view);
  if (pairs === null) throw new Error("weights that do not pack");
  const { batch, outHeight, outWidth, kernel, channels } = conv2dGeometry(view);
  const stream: KernelArg = { kind: "constant", label: "pairs", dtype: "int32", data: pairs.stream };
  const values = 4 * block * pairs.words;
  const [source, output] = ["ops/conv2d/conv2d_s8_dsp.h", { kind: "output", index: 0 }] as const;
  if (form === "row") {
    return {
      source,
      symbol: "th_conv2d_s8_dsp",
      params: paramsOf(view, pairs, outWidth, block),
      args: [{ kind: "rows", index: 0 }, stream, { kind: "scratch" }, output],
      scratchBytes: values + kernel[1] * channels,
    };
  }
  return {
    source,
    symbol: "th_conv2d_s8_dsp_pixels",
    params: paramsOf(view, pairs, batch * outHeight * outWidth, block),
    args: [{ kind: "input", index: 0 }, stream, { kind: "scratch" }, output],
    scratchBytes: values,
  };
}

const common = {
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
  isa: "dsp",
  pixelSteps: true,
} as const;

/** Kernels that compute `block` pixels at a time; names end in `suffix`. */
const kernelsOf = (suffix: string, block: number): readonly Kernel<Conv2dAttrs>[] => [
  {
    ...common,
    name: `dsp s8, by pixels${suffix}`,
    form: "slice",
    matches: (view) => isByPixels(view) && packed(view) !== null,
    call: (view) => callOf(view, "pixels", block),
  },
  {
    ...common,
    name: `dsp s8${suffix}`,
    form: "row",
    matches: (view) => packed(view) !== null,
    call: (view) => callOf(view, "row", block),
  },
];

/** int16 activations, two output channels at a time, from the portable kernels' weights. */
const wideKernels = weightedKernels(weightedConv2d, ["s16", "s16_b32"]).map(
  (kernel): Kernel<Conv2dAttrs> => ({
    ...kernel,
    name: kernel.name.replace("portable", "dsp"),
    isa: "dsp",
    matches: (view) => conv2dGeometry(view).channels === conv2dGeometry(view).filterChannels,
    call: (view) => {
      const call = kernel.call(view);
      return { ...call, source: "ops/conv2d/conv2d_s16_dsp.h", symbol: `${call.symbol}_dsp` };
    },
  }),
);

/**
 * For cores with the DSP instructions: convolutions without groups, 1x1 ones over all pixels at once. Those that compute
 * fewer pixels at a time take less scratch and more instructions for the same weights.
 */
export const dspKernels: readonly Kernel<Conv2dAttrs>[] = [
  ...kernelsOf("", 4),
  ...kernelsOf(", two pixels", 2),
  ...kernelsOf(", one pixel", 1),
  ...wideKernels,
];
