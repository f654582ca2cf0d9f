import { asDoubles, inputOf, zeroPointOf } from "../common/view.js";
import { weightedFinish } from "../common/weighted.js";
import type { ExecView } from "../spec.js";
import { type Conv2dAttrs, conv2dGeometry, weightedConv2d } from "./geometry.js";

/**
 * Convolution, NHWC by OHWI. Accumulates in double: exact for the integer types (|sum| < 2^53), and more precise
 * than any float32 order for float. Integer rounding as TFLite's reference_integer_ops::ConvPerChannel.
 */
export function conv2dReference(view: ExecView<Conv2dAttrs>): void {
  const g = conv2dGeometry(view);
  const { attrs } = view;
  const finish = weightedFinish(weightedConv2d, view);
  const zero = zeroPointOf(inputOf(view, 0));
  const x = Float64Array.from(view.in[0] as ArrayLike<number>, (v) => v - zero);
  const w = Float64Array.from(view.in[1] as ArrayLike<number>);
  const bias = asDoubles(view.in[2]);
  const out = view.out[0] as Float32Array;
  const perGroup = g.outChannels / (g.channels / g.filterChannels);
  const [kh, kw] = g.kernel;

  let o = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      const y0 = oy * attrs.stride[0] - g.padTop;
      for (let ox = 0; ox < g.outWidth; ox++) {
        const x0 = ox * attrs.stride[1] - g.padLeft;
        for (let oc = 0; oc < g.outChannels; oc++) {
          const firstChannel = Math.floor(oc / perGroup) * g.filterChannels;
          let sum = bias === null ? 0 : (bias[oc] as number);
          for (let ky = 0; ky < kh; ky++) {
            const iy = y0 + ky * attrs.dilation[0];
            if (iy < 0 || iy >= g.height) continue;
            for (let kx = 0; kx < kw; kx++) {
              const ix = x0 + kx * attrs.dilation[1];
              if (ix < 0 || ix >= g.width) continue;
              const xi = ((n * g.height + iy) * g.width + ix) * g.channels + firstChannel;
              const wi = ((oc * kh + ky) * kw + kx) * g.filterChannels;
              for (let c = 0; c < g.filterChannels; c++) sum += (x[xi + c] as number) * (w[wi + c] as number);
            }
          }
          out[o++] = finish(sum, oc);
        }
      }
    }
  }
}
