import type { NodeView } from "../../ir/graph.js";
import type { Activation } from "../common/activation.js";
import { type Padding, window2d, windowAxes } from "../common/padding.js";
import { inputOf, optionalInput, outputOf, pixelStep, sizeAt } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { type Products, tapReaches } from "../common/weighted-channels.js";

export interface DepthwiseConv2dAttrs {
  readonly padding: Padding;
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  /** As the file states it; the filter's shape decides, as in TFLM. */
  readonly depthMultiplier: number;
  readonly activation: Activation;
}

/** Sizes and window of a depthwise convolution: NHWC input, filter [1, kernel height, kernel width, output channels]. */
export function depthwiseGeometry(view: NodeView<DepthwiseConv2dAttrs>) {
  const input = inputOf(view, 0).shape;
  const filter = inputOf(view, 1).shape;
  const kernel = [sizeAt(filter, 1), sizeAt(filter, 2)] as const;
  const [batch, height, width, channels] = [sizeAt(input, 0), sizeAt(input, 1), sizeAt(input, 2), sizeAt(input, 3)];
  const outChannels = sizeAt(filter, 3);
  const window = window2d(height, width, { kernel, ...view.attrs });
  return { batch, height, width, channels, outChannels, kernel, multiplier: outChannels / channels, ...window };
}

/** The window along both axes. */
export function depthwiseWindow(view: NodeView<DepthwiseConv2dAttrs>) {
  const { height, width, kernel } = depthwiseGeometry(view);
  return windowAxes(height, width, { kernel, ...view.attrs });
}

/** The sums that the outputs are. */
export function depthwiseProducts(view: NodeView<DepthwiseConv2dAttrs>): Products {
  const { outChannels, multiplier } = depthwiseGeometry(view);
  return {
    outputs: outChannels,
    taps: tapReaches(depthwiseWindow(view), inputOf(view, 0).shape, outputOf(view, 0).shape),
    depth: 1,
    outStep: 1,
    tapStep: outChannels,
    firstChannel: (output) => Math.floor(output / multiplier),
  };
}

/** What the shared kernel factory needs to know. */
export const depthwise: Weighted<DepthwiseConv2dAttrs> = {
  index: { input: 0, weights: 1, bias: 2 },
  stem: "ops/depthwise_conv2d/depthwise_conv2d",
  activation: (a) => a.activation,
  form: "row",
  pixelSteps: true,
  fields: (view) => {
    const g = depthwiseGeometry(view);
    const { stride, dilation } = view.attrs;
    return {
      in_w: g.width,
      in_c: g.channels,
      in_step: pixelStep(view, inputOf(view, 0)),
      out_step: pixelStep(view, outputOf(view, 0)),
      out_w: g.outWidth,
      k_h: g.kernel[0],
      k_w: g.kernel[1],
      multiplier: g.multiplier,
      stride_w: stride[1],
      dilation_w: dilation[1],
      pad_left: g.padLeft,
    };
  },
};

/** The node's weights as [channels][taps], so that they are those of sums of products, one channel after another. */
export function byChannels(view: NodeView<DepthwiseConv2dAttrs>): NodeView<DepthwiseConv2dAttrs> | null {
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
