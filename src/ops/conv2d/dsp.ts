import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, zeroPointOf } from "../common/view.js";
import { weightedKernels } from "../common/weighted.js";
import {
  dspChannels,
  type PackedPairs,
  packPairs,
  packPairs4,
  pairFinishes,
  widenedOrder,
} from "../common/weighted-dsp.js";
import type { Kernel, KernelArg, KernelCall } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

const isInt4 = (view: View): boolean => inputOf(view, 1).dtype === "int4";

/** Weights in the order in which windows are widened; null where the kernels do not take the node. */
const packed = perNode(weightedConv2d.index, (view: View): PackedPairs | null => {
  const { kernel, channels, filterChannels } = conv2dGeometry(view);
  if (channels !== filterChannels) return null;
  const lowered = dspChannels(weightedConv2d, view);
  const order = widenedOrder(kernel[0], kernel[1] * channels);
  return lowered && (isInt4(view) ? packPairs4(lowered, order) : packPairs(lowered, order));
});

/** Outputs are the products of single input pixels, one after another. */
function isByPixels(view: View): boolean {
  const { kernel, height, width, outHeight, outWidth } = conv2dGeometry(view);
  const { stride } = view.attrs;
  const single = kernel.every((n) => n === 1) && stride.every((n) => n === 1);
  return single && height === outHeight && width === outWidth;
}

/** How sums become outputs: fields of th_pairs_layer. */
function finishFields(view: View, { finish, add }: PackedPairs) {
  const output = outputOf(view, 0);
  const { min, max } = quantizedActivationRange(view.attrs.activation, output);
  return { finish, add, out_zero: zeroPointOf(output), min, max };
}

function rowParams(view: View, pairs: PackedPairs, block: number): KernelCall["params"] {
  const { kernel, channels } = conv2dGeometry(view);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const fields = {
    words: pairs.words,
    row_words: widenedOrder(1, kernel[1] * channels).length,
    ...sizes,
    in_zero: zeroPointOf(inputOf(view, 0)),
    block,
    ...finishFields(view, pairs),
  };
  return { type: "th_conv2d_s8_dsp_params", fields };
}

function pixelParams(view: View, pairs: PackedPairs, block: number): KernelCall["params"] {
  const { batch, outHeight, outWidth } = conv2dGeometry(view);
  const { in_c, in_step, out_c, out_step } = weightedConv2d.fields(view);
  const layer = { words: pairs.words, channels: out_c, out_step, ...finishFields(view, pairs) };
  const fields = {
    ...Object.fromEntries(Object.entries(layer).map(([name, value]) => [`layer.${name}`, value as number])),
    in_c: in_c as number,
    in_step: in_step as number,
    pixels: batch * outHeight * outWidth,
    block,
  };
  return { type: "th_conv2d_s8_dsp_pixels_params", fields };
}

/** A call that widens `block` pixels at a time. */
function callOf(view: View, form: "row" | "pixels", block: number): KernelCall {
  const pairs = packed(view);
  if (pairs === null) throw new Error("weights that do not pack");
  const { kernel, channels } = conv2dGeometry(view);
  const stream: KernelArg = { kind: "constant", label: "pairs", dtype: "int32", data: pairs.stream };
  const values = 4 * block * pairs.words;
  const stem = isInt4(view) ? "conv2d_s8_w4_dsp" : "conv2d_s8_dsp";
  const variant = pairs.finish === pairFinishes.linear ? "linear" : "rounded";
  const [source, output] = [`ops/conv2d/${stem}.h`, { kind: "output", index: 0 }] as const;
  if (form === "row") {
    return {
      source,
      symbol: `th_${stem}`,
      params: rowParams(view, pairs, block),
      args: [{ kind: "rows", index: 0 }, stream, { kind: "scratch" }, output],
      scratchBytes: values + kernel[1] * channels,
      variant,
    };
  }
  return {
    source,
    symbol: `th_${stem}_pixels`,
    params: pixelParams(view, pairs, block),
    args: [{ kind: "input", index: 0 }, stream, { kind: "scratch" }, output],
    scratchBytes: values,
    variant,
  };
}

const common = {
  isa: "dsp",
  pixelSteps: true,
} as const;

const nameOf = { int8: "s8", int4: "s8_w4" } as const;

/** Kernels that compute `block` pixels at a time; names end in `suffix`. */
const kernelsOf = (weights: "int8" | "int4", suffix: string, block: number): readonly Kernel<Conv2dAttrs>[] => [
  {
    ...common,
    types: { inputs: ["int8", weights, "int32"], outputs: ["int8"] },
    name: `dsp ${nameOf[weights]}, by pixels${suffix}`,
    form: "slice",
    matches: (view) => isByPixels(view) && packed(view) !== null,
    call: (view) => callOf(view, "pixels", block),
  },
  {
    ...common,
    types: { inputs: ["int8", weights, "int32"], outputs: ["int8"] },
    name: `dsp ${nameOf[weights]}${suffix}`,
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
  ...kernelsOf("int8", "", 4),
  ...kernelsOf("int8", ", two pixels", 2),
  ...kernelsOf("int8", ", one pixel", 1),
  ...kernelsOf("int4", "", 4),
  ...kernelsOf("int4", ", two pixels", 2),
  ...kernelsOf("int4", ", one pixel", 1),
  ...wideKernels,
];
