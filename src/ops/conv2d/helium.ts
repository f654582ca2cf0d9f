import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf } from "../common/view.js";
import { heliumChannels, packFours } from "../common/weighted-helium.js";
import { pixelsCall, type WindowsCall, windowsCall } from "../common/windows-helium.js";
import type { Kernel, KernelCall } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

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
