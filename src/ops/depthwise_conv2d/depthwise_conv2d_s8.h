/*
 * Depthwise convolution, int8 activations and weights, int32 accumulator;
 * bit-exact with depthwiseConv2dReference.
 * input [batch][in_h][in_w][in_c], weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_h][out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_H
#define TH_DEPTHWISE_CONV2D_S8_H

#include "depthwise_conv2d_params.h"
#include "th_fixedpoint.h"

/* One output row; `input` is the image it lies in, y0 the (possibly negative) first input row of its window. */
TH_INLINE void th_depthwise_conv2d_s8_row(const th_depthwise_conv2d_params *p, const int8_t *input,
                                          const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                          const int8_t *shifts, int32_t y0, int8_t *output)
{
    const int32_t out_c = p->in_c * p->multiplier;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t ic = oc / p->multiplier;
            int32_t sum = bias ? bias[oc] : 0;
            for (int32_t ky = 0; ky < p->k_h; ky++) {
                const int32_t iy = y0 + ky * p->dilation_h;
                if (iy < 0 || iy >= p->in_h) {
                    continue;
                }
                for (int32_t kx = 0; kx < p->k_w; kx++) {
                    const int32_t ix = x0 + kx * p->dilation_w;
                    if (ix < 0 || ix >= p->in_w) {
                        continue;
                    }
                    const int32_t w = (ky * p->k_w + kx) * out_c + oc;
                    sum += (input[(iy * p->in_w + ix) * p->in_c + ic] - p->in_zero) * weights[w];
                }
            }
            const int32_t m = oc * p->multiplier_step;
            const int32_t value = th_requantize(sum, multipliers[m], shifts[m]) + p->out_zero;
            *output++ = (int8_t)th_clamp(value, p->min, p->max);
        }
    }
}

TH_KERNEL void th_depthwise_conv2d_s8(const th_depthwise_conv2d_params *p, const int8_t *input, const int8_t *weights,
                                      const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                      int8_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const int32_t y0 = oy * p->stride_h - p->pad_top;
            th_depthwise_conv2d_s8_row(p, input, weights, bias, multipliers, shifts, y0, output);
            output += p->out_w * p->in_c * p->multiplier;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
