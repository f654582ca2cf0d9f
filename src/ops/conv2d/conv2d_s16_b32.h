/*
 * Convolution, int16 activations, int8 weights, int32 bias and accumulator; bit-exact with conv2dReference.
 * input [batch][in_h][in_w][in_c], weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_h][out_w][out_c].
 */
#ifndef TH_CONV2D_S16_B32_H
#define TH_CONV2D_S16_B32_H

#include "conv2d_params.h"
#include "th_fixedpoint.h"

/* One output row; `input` is the image it lies in, y0 the (possibly negative) first input row of its window. */
TH_INLINE void th_conv2d_s16_b32_row(const th_conv2d_params *p, const int16_t *input, const int8_t *weights,
                                const int32_t *bias, const int32_t *multipliers, const int8_t *shifts, int32_t y0,
                                int16_t *output)
{
    const int32_t k_c = p->k_c;
    const int32_t per_group = p->out_c / (p->in_c / k_c);
    const th_taps rows = th_taps_inside(y0, p->dilation_h, p->k_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const int32_t first = oc / per_group * k_c;
            int32_t sum = bias ? bias[oc] : 0;
            for (int32_t ky = rows.first; ky < rows.end; ky++) {
                const int16_t *row = input + (y0 + ky * p->dilation_h) * p->in_w * p->in_c + first;
                const int8_t *filter = weights + (oc * p->k_h + ky) * p->k_w * k_c;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    const int16_t *in = row + (x0 + kx * p->dilation_w) * p->in_c;
                    for (int32_t c = 0; c < k_c; c++) {
                        sum += in[c] * filter[kx * k_c + c];
                    }
                }
            }
            const int32_t m = oc * p->multiplier_step;
            const int32_t value = th_requantize(sum, multipliers[m], shifts[m]) + p->out_zero;
            *output++ = (int16_t)th_clamp(value, p->min, p->max);
        }
    }
}

TH_KERNEL void th_conv2d_s16_b32(const th_conv2d_params *p, const int16_t *input, const int8_t *weights,
                            const int32_t *bias, const int32_t *multipliers, const int8_t *shifts, int16_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            th_conv2d_s16_b32_row(p, input, weights, bias, multipliers, shifts, oy * p->stride_h - p->pad_top, output);
            output += p->out_w * p->out_c;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
