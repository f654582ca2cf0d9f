import { present } from "../../base/assert.js";
import type { NodeView } from "../../ir/graph.js";
import { perNode } from "../common/per-node.js";
import {
  type HeliumType,
  heliumS8,
  otherHeliumTypes,
  pixelsCall,
  type WindowsCall,
  windowsCall,
} from "../common/windows-helium.js";
import type { Kernel } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

type View = NodeView<Conv2dAttrs>;

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

/** Rows above and below the image are copied even of single pixels. */
function isInside(view: View): boolean {
  const { padTop, outHeight, height } = conv2dGeometry(view);
  return padTop === 0 && (outHeight - 1) * view.attrs.stride[0] < height;
}

function callOf(view: View, type: HeliumType, stream: Int32Array, rows: number): WindowsCall {
  const { outWidth, kernel, channels } = conv2dGeometry(view);
  const { k_c, ...sizes } = weightedConv2d.fields(view);
  const depth = kernel[0] * kernel[1] * channels;
  return { type, view, sizes, stream, depth, rows, outWidth, activation: view.attrs.activation };
}

function kernelsOf(type: HeliumType): readonly Kernel<Conv2dAttrs>[] {
  /** Weights in the order of windows; null where the kernels do not take the node. */
  const packed = perNode(weightedConv2d.index, (view: View): Int32Array | null => {
    const { channels, filterChannels } = conv2dGeometry(view);
    return channels === filterChannels ? type.pack(weightedConv2d, view) : null;
  });
  const streamOf = (view: View): Int32Array => present(packed(view), "weights for Helium");
  const common = { types: type.types, isa: "helium", pixelSteps: true } as const;
  return [
    {
      ...common,
      name: `helium ${type.suffix}, by pixels`,
      form: "slice",
      matches: (view) => isByPixels(view) && packed(view) !== null,
      call: (view) => {
        const { batch, outHeight } = conv2dGeometry(view);
        return pixelsCall(callOf(view, type, streamOf(view), batch * outHeight));
      },
    },
    ...([null, 2, 1] as const).map(
      (block): Kernel<Conv2dAttrs> => ({
        ...common,
        name: `helium ${type.suffix}${block === null ? "" : block === 2 ? ", two pixels" : ", one pixel"}`,
        form: "row",
        matches: (view) => packed(view) !== null,
        call: (view) => windowsCall(callOf(view, type, streamOf(view), 1), !isDirect(view) || !isInside(view), block),
      }),
    ),
  ];
}

/**
 * For Helium: convolutions without groups, 1x1 ones over all pixels at once. Those that copy fewer windows at a time take
 * less scratch.
 */
export const heliumKernels: readonly Kernel<Conv2dAttrs>[] = [heliumS8, ...otherHeliumTypes].flatMap(kernelsOf);
