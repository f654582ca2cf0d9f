import { asDoubles, inputOf, zeroPointOf } from "../common/view.js";
import { weightedFinish } from "../common/weighted.js";
import type { ExecView } from "../spec.js";
import { type TransposeConvAttrs, transposeConvGeometry, transposed } from "./geometry.js";

/**
 * Adds every input element, times the filter, to the outputs it reaches; sums in double, exact for the integer types.
 * Source: reference_integer_ops::TransposeConv of TFLite.
 */
export function transposeConvReference(view: ExecView<TransposeConvAttrs>): void {
  const g = transposeConvGeometry(view);
  const { stride } = view.attrs;
  const zero = zeroPointOf(inputOf(view, 2));
  const x = Float64Array.from(view.in[2] as ArrayLike<number>, (v) => v - zero);
  const w = Float64Array.from(view.in[1] as ArrayLike<number>);
  const bias = asDoubles(view.in[3]);
  const sums = new Float64Array(g.batch * g.outHeight * g.outWidth * g.outChannels);
  const [kh, kw] = g.kernel;

  for (let n = 0; n < g.batch; n++) {
    for (let iy = 0; iy < g.height; iy++) {
      for (let ix = 0; ix < g.width; ix++) {
        const xi = ((n * g.height + iy) * g.width + ix) * g.channels;
        for (let ky = 0; ky < kh; ky++) {
          const oy = iy * stride[0] - g.padTop + ky;
          if (oy < 0 || oy >= g.outHeight) continue;
          for (let kx = 0; kx < kw; kx++) {
            const ox = ix * stride[1] - g.padLeft + kx;
            if (ox < 0 || ox >= g.outWidth) continue;
            const to = ((n * g.outHeight + oy) * g.outWidth + ox) * g.outChannels;
            for (let oc = 0; oc < g.outChannels; oc++) {
              const wi = ((oc * kh + ky) * kw + kx) * g.channels;
              let sum = sums[to + oc] as number;
              for (let c = 0; c < g.channels; c++) sum += (x[xi + c] as number) * (w[wi + c] as number);
              sums[to + oc] = sum;
            }
          }
        }
      }
    }
  }
  const finish = weightedFinish(transposed, view);
  const out = view.out[0] as Float32Array;
  for (let i = 0; i < out.length; i++) {
    const oc = i % g.outChannels;
    out[i] = finish((sums[i] as number) + (bias === null ? 0 : (bias[oc] as number)), oc);
  }
}
