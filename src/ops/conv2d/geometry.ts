import type { NodeView } from "../../ir/graph.js";
import type { Activation } from "../common/activation.js";
import { type Padding, window2d, windowAxes } from "../common/padding.js";
import { inputOf, outputOf, pixelStep, sizeAt } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { type Products, tapReaches } from "../common/weighted-channels.js";

export interface Conv2dAttrs {
  readonly padding: Padding;
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly activation: Activation;
}

/** Input, filter and output sizes and the window of a convolution; NHWC input, OHWI filter. */
export function conv2dGeometry(view: NodeView<Conv2dAttrs>) {
  const input = inputOf(view, 0).shape;
  const filter = inputOf(view, 1).shape;
  const kernel = [sizeAt(filter, 1), sizeAt(filter, 2)] as const;
  const [batch, height, width, channels] = [sizeAt(input, 0), sizeAt(input, 1), sizeAt(input, 2), sizeAt(input, 3)];
  return {
    batch,
    height,
    width,
    channels,
    outChannels: sizeAt(filter, 0),
    kernel,
    /** Input channels that one filter sees: all of them divided by the groups. */
    filterChannels: sizeAt(filter, 3),
    ...window2d(height, width, { kernel, ...view.attrs }),
  };
}

/** The window along both axes. */
export function conv2dWindow(view: NodeView<Conv2dAttrs>) {
  const { height, width, kernel } = conv2dGeometry(view);
  return windowAxes(height, width, { kernel, ...view.attrs });
}

/** The sums that the outputs are. */
export function conv2dProducts(view: NodeView<Conv2dAttrs>): Products {
  const g = conv2dGeometry(view);
  const taps = tapReaches(conv2dWindow(view), inputOf(view, 0).shape, outputOf(view, 0).shape);
  const perGroup = (g.outChannels * g.filterChannels) / g.channels;
  return {
    outputs: g.outChannels,
    taps,
    depth: g.filterChannels,
    outStep: taps.length * g.filterChannels,
    tapStep: g.filterChannels,
    firstChannel: (output) => Math.floor(output / perGroup) * g.filterChannels,
  };
}

/** What the shared kernel factory needs to know. */
export const weightedConv2d: Weighted<Conv2dAttrs> = {
  index: { input: 0, weights: 1, bias: 2 },
  stem: "ops/conv2d/conv2d",
  activation: (a) => a.activation,
  form: "row",
  pixelSteps: true,
  fields: (view) => {
    const g = conv2dGeometry(view);
    const { stride, dilation } = view.attrs;
    return {
      in_w: g.width,
      in_c: g.channels,
      in_step: pixelStep(view, inputOf(view, 0)),
      out_w: g.outWidth,
      out_c: g.outChannels,
      out_step: pixelStep(view, outputOf(view, 0)),
      k_h: g.kernel[0],
      k_w: g.kernel[1],
      k_c: g.filterChannels,
      stride_w: stride[1],
      dilation_w: dilation[1],
      pad_left: g.padLeft,
    };
  },
};
