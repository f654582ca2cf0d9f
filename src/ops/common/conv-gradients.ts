import type { Tensor } from "../../ir/graph.js";
import type { Emitter } from "../gradient.js";
import type { WindowAxis } from "../spec.js";
import type { Activation } from "./activation.js";
import { only, sumTo, throughActivation } from "./gradients.js";

/** A convolution as its gradients see it: NHWC; padding [top, bottom, left, right]. */
export interface ConvGradientAttrs {
  readonly padding: readonly [top: number, bottom: number, left: number, right: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  /** "OHWI", groups from the channels that a filter sees; or "1HWO", each filter one channel (depthwise). */
  readonly weights: "OHWI" | "1HWO";
}

/** Sizes and steps for walking over all products of a convolution. */
export function productsOf(attrs: ConvGradientAttrs, x: readonly number[], w: readonly number[], y: readonly number[]) {
  const [batch = 0, height = 0, width = 0, channels = 0] = x;
  const [, outHeight = 0, outWidth = 0, outChannels = 0] = y;
  const [, kh = 0, kw = 0, last = 0] = w;
  const depthwise = attrs.weights === "1HWO";
  const depth = depthwise ? 1 : last;
  return {
    batch,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    outChannels,
    kh,
    kw,
    depth,
    perGroup: (outChannels * depth) / channels,
    outStep: depthwise ? 1 : kh * kw * depth,
    tapStep: depthwise ? outChannels : depth,
  };
}

/** Calls `visit` for each run of `depth` channels: indices of the output element, the input's and the weights' first one. */
export function forEachProduct(
  attrs: ConvGradientAttrs,
  g: ReturnType<typeof productsOf>,
  visit: (y: number, x: number, w: number) => void,
): void {
  const { stride, dilation, padding } = attrs;
  let o = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++) {
        for (let oc = 0; oc < g.outChannels; oc++, o++) {
          const channel = Math.floor(oc / g.perGroup) * g.depth;
          for (let ky = 0; ky < g.kh; ky++) {
            const iy = oy * stride[0] - padding[0] + ky * dilation[0];
            if (iy < 0 || iy >= g.height) continue;
            for (let kx = 0; kx < g.kw; kx++) {
              const ix = ox * stride[1] - padding[2] + kx * dilation[1];
              if (ix < 0 || ix >= g.width) continue;
              const x = ((n * g.height + iy) * g.width + ix) * g.channels + channel;
              visit(o, x, oc * g.outStep + (ky * g.kw + kx) * g.tapStep);
            }
          }
        }
      }
    }
  }
}

/** The attributes of a convolution's gradients, from its window. */
export const gradientAttrs = (
  window: { readonly rows: WindowAxis; readonly columns: WindowAxis },
  weights: "OHWI" | "1HWO",
): ConvGradientAttrs => ({
  padding: [window.rows.before, window.rows.after, window.columns.before, window.columns.after],
  stride: [window.rows.stride, window.columns.stride],
  dilation: [window.rows.dilation, window.columns.dilation],
  weights,
});

/** Gradients of a convolution's input, weights and bias. */
export function convGradients(
  e: Emitter,
  attrs: ConvGradientAttrs,
  activation: Activation,
  at: { readonly x: Tensor; readonly w: Tensor; readonly bias: Tensor | null; readonly y: Tensor },
  upstream: readonly (Tensor | null)[],
): readonly (Tensor | null)[] {
  const dy = throughActivation(e, activation, at.y, only(upstream));
  const [dx = null] = e.node("CONV_2D_INPUT_GRADIENT", [dy, at.w], { ...attrs, inputShape: at.x.shape });
  const [dw = null] = e.node("CONV_2D_WEIGHTS_GRADIENT", [dy, at.x], { ...attrs, weightsShape: at.w.shape });
  return [dx, dw, at.bias === null ? null : sumTo(e, dy, at.bias.shape)];
}
