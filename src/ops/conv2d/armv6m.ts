import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { lanesCall, lanesForms } from "../common/lanes-armv6m.js";
import { perNode } from "../common/per-node.js";
import { type PackedLanes, packLanes } from "../common/weighted-armv6m.js";
import { dspChannels } from "../common/weighted-dsp.js";
import type { Kernel, KernelCall } from "../spec.js";
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

/** A call that packs `most` pixels at a time. */
function callOf(view: View, form: "row" | "pixels", most: number): KernelCall {
  const lanes = present(packed(view), "packed weights");
  const { batch, outHeight, outWidth } = conv2dGeometry(view);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const pixels = form === "row" ? outWidth : batch * outHeight * outWidth;
  return lanesCall({ view, activation: view.attrs.activation, lanes, sizes, pixels }, form, most);
}

const common = {
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
  isa: "armv6m",
  pixelSteps: true,
} as const;

/** For Armv6-M: convolutions without groups, 1x1 ones over all pixels at once. */
export const armv6mKernels: readonly Kernel<Conv2dAttrs>[] = lanesForms.flatMap(
  ([suffix, most]): readonly Kernel<Conv2dAttrs>[] => [
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
  ],
);
