import { present } from "../../base/assert.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, zeroPointOf } from "../common/view.js";
import { bytesOfFour, heliumChannels, packFours } from "../common/weighted-helium.js";
import type { CValue, Kernel, KernelArg, KernelCall } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

/** Bytes of windows that are copied at a time, if two are not more. */
const windowBytes = 640;

/** Weights in the order of windows; null where the kernels do not take the node. */
const packed = perNode(weightedConv2d.index, (view: View): Int32Array | null => {
  const { channels, filterChannels } = conv2dGeometry(view);
  if (channels !== filterChannels) return null;
  const lowered = heliumChannels(weightedConv2d, view);
  return lowered && packFours(lowered, "in the stream");
});

/** Outputs are the products of single input pixels, one after another. */
function isByPixels(view: View): boolean {
  const { kernel, height, width, outHeight, outWidth } = conv2dGeometry(view);
  const single = kernel.every((n) => n === 1) && view.attrs.stride.every((n) => n === 1);
  return single && height === outHeight && width === outWidth;
}

/** True if the windows of a row are its pixels. */
function isDirect(view: View): boolean {
  const { kernel, padLeft, outWidth, width } = conv2dGeometry(view);
  const { stride } = view.attrs;
  return kernel.every((n) => n === 1) && padLeft === 0 && (outWidth - 1) * stride[1] < width;
}

/** What a convolution of windows needs besides sizes and weights. */
interface WindowsCall {
  /** Fields of the params struct but for those that follow from the rest. */
  readonly sizes: Readonly<Record<string, CValue>>;
  readonly input: Tensor;
  readonly output: Tensor;
  readonly stream: Int32Array;
  readonly depth: number;
  readonly rows: number;
  readonly outWidth: number;
  readonly activation: Activation;
}

function paramsOf(w: WindowsCall, block: number) {
  const range = quantizedActivationRange(w.activation, w.output);
  const fields = {
    ...w.sizes,
    rows: w.rows,
    block,
    four_bytes: bytesOfFour(w.depth),
    in_zero: zeroPointOf(w.input),
    out_zero: zeroPointOf(w.output),
    min: range.min,
    max: range.max,
  };
  return { type: "th_conv2d_s8_helium_params", fields };
}

const source = "ops/conv2d/conv2d_s8_helium.h";

/** Outputs that are limited to the zero point and more have functions of their own. */
const suffixOf = ({ activation, output }: WindowsCall): string =>
  quantizedActivationRange(activation, output).min >= zeroPointOf(output) ? "_relu" : "";

const streamArg = ({ stream }: WindowsCall): KernelArg => ({
  kind: "constant",
  label: "fours",
  dtype: "int32",
  data: stream,
});

/** One row from the rows of its windows. @param isCopied windows are not always single pixels inside the input */
export function windowsCall(w: WindowsCall, isCopied: boolean): KernelCall {
  const block = Math.min(w.outWidth, Math.max(2, Math.floor(windowBytes / w.depth) & ~1));
  return {
    source,
    params: paramsOf(w, block),
    symbol: `th_conv2d_s8_helium${suffixOf(w)}`,
    args: [
      { kind: "rows", index: 0 },
      streamArg(w),
      isCopied ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isCopied ? block * w.depth : 0,
  };
}

/** All rows of a 1x1 convolution; pairs of pixels reach across the ends of rows of odd width. */
function pixelsCall(w: WindowsCall): KernelCall {
  const isPaired = w.depth > 16 && w.outWidth % 2 === 1 && w.rows > 1;
  return {
    source,
    params: paramsOf(w, 0),
    symbol: `th_conv2d_s8_helium_pixels${suffixOf(w)}`,
    args: [
      { kind: "input", index: 0 },
      streamArg(w),
      isPaired ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isPaired ? 2 * w.depth : 0,
  };
}

function callOf(view: View, form: "row" | "pixels"): KernelCall {
  const { batch, height, outHeight, outWidth, kernel, channels, padTop } = conv2dGeometry(view);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const w: WindowsCall = {
    sizes,
    input: inputOf(view, 0),
    output: outputOf(view, 0),
    stream: present(packed(view), "weights for Helium"),
    depth: kernel[0] * kernel[1] * channels,
    rows: form === "row" ? 1 : batch * outHeight,
    outWidth,
    activation: view.attrs.activation,
  };
  if (form === "pixels") return pixelsCall(w);
  // Rows above and below the image are copied even of single pixels.
  const isInside = padTop === 0 && (outHeight - 1) * view.attrs.stride[0] < height;
  return windowsCall(w, !isDirect(view) || !isInside);
}

const common = {
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
  isa: "helium",
  pixelSteps: true,
} as const;

/** For Helium: convolutions without groups, 1x1 ones over all pixels at once. */
export const heliumKernels: readonly Kernel<Conv2dAttrs>[] = [
  {
    ...common,
    name: "helium s8, by pixels",
    form: "slice",
    matches: (view) => isByPixels(view) && packed(view) !== null,
    call: (view) => callOf(view, "pixels"),
  },
  {
    ...common,
    name: "helium s8",
    form: "row",
    matches: (view) => packed(view) !== null,
    call: (view) => callOf(view, "row"),
  },
];
