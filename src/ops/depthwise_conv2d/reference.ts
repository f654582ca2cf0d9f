import { asDoubles, inputOf, zeroPointOf } from "../common/view.js";
import { weightedFinish } from "../common/weighted.js";
import type { ExecView } from "../spec.js";
import { type DepthwiseConv2dAttrs, depthwise, depthwiseGeometry } from "./geometry.js";

/**
 * Depthwise convolution: output channel oc sees input channel floor(oc / multiplier). Sums in double, exact for the
 * integer types. Integer rounding as TFLM's reference_integer_ops::DepthwiseConvPerChannel.
 */
export function depthwiseConv2dReference(view: ExecView<DepthwiseConv2dAttrs>): void {
  const g = depthwiseGeometry(view);
  const { stride, dilation } = view.attrs;
  const finish = weightedFinish(depthwise, view);
  const zero = zeroPointOf(inputOf(view, 0));
  const x = Float64Array.from(view.in[0] as ArrayLike<number>, (v) => v - zero);
  const w = Float64Array.from(view.in[1] as ArrayLike<number>);
  const bias = asDoubles(view.in[2]);
  const out = view.out[0] as Float32Array;
  const [kh, kw] = g.kernel;

  let o = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      const y0 = oy * stride[0] - g.padTop;
      for (let ox = 0; ox < g.outWidth; ox++) {
        const x0 = ox * stride[1] - g.padLeft;
        for (let oc = 0; oc < g.outChannels; oc++) {
          const ic = Math.floor(oc / g.multiplier);
          let sum = bias === null ? 0 : (bias[oc] as number);
          for (let ky = 0; ky < kh; ky++) {
            const iy = y0 + ky * dilation[0];
            if (iy < 0 || iy >= g.height) continue;
            for (let kx = 0; kx < kw; kx++) {
              const ix = x0 + kx * dilation[1];
              if (ix < 0 || ix >= g.width) continue;
              const xi = ((n * g.height + iy) * g.width + ix) * g.channels + ic;
              sum += (x[xi] as number) * (w[(ky * kw + kx) * g.outChannels + oc] as number);
            }
          }
          out[o++] = finish(sum, oc);
        }
      }
    }
  }
}
