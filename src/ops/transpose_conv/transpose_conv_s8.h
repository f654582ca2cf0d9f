/*
 * Transposed convolution, int8 activations and weights, int32 accumulator;
 * bit-exact with transposeConvReference.
 * input [batch][in_h][in_w][in_c], weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_h][out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (y, x) reaches output (y * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_S8_H
#define TH_TRANSPOSE_CONV_S8_H

#include "transpose_conv_params.h"
#include "th_fixedpoint.h"

/* The sum of one output element; `filter` are the weights of its channel, y and x its place in the full result. */
TH_INLINE int32_t th_transpose_conv_s8_sum(const th_transpose_conv_params *p, const int8_t *input,
                                           const int8_t *filter, int32_t y, int32_t x)
{
    int32_t sum = 0;
    for (int32_t ky = y % p->stride_h; ky < p->k_h && ky <= y; ky += p->stride_h) {
        const int32_t iy = (y - ky) / p->stride_h;
        if (iy >= p->in_h) {
            continue;
        }
        for (int32_t kx = x % p->stride_w; kx < p->k_w && kx <= x; kx += p->stride_w) {
            const int32_t ix = (x - kx) / p->stride_w;
            if (ix >= p->in_w) {
                continue;
            }
            const int8_t *in = input + (iy * p->in_w + ix) * p->in_c;
            const int8_t *w = filter + (ky * p->k_w + kx) * p->in_c;
            for (int32_t c = 0; c < p->in_c; c++) {
                sum += (in[c] - p->in_zero) * w[c];
            }
        }
    }
    return sum;
}

/* Output row oy; `input` is the image it lies in. */
TH_INLINE void th_transpose_conv_s8_row(const th_transpose_conv_params *p, const int8_t *input, const int8_t *weights,
                                        const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                        int32_t oy, int8_t *output)
{
    const int32_t per_filter = p->k_h * p->k_w * p->in_c;
    const int32_t y = oy + p->pad_top;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const int32_t sum = th_transpose_conv_s8_sum(p, input, weights + oc * per_filter, y, ox + p->pad_left);
            const int32_t m = oc * p->multiplier_step;
            const int32_t scaled = th_requantize(sum + (bias ? bias[oc] : 0), multipliers[m], shifts[m]);
            *output++ = (int8_t)th_clamp(scaled + p->out_zero, p->min, p->max);
        }
    }
}

TH_KERNEL void th_transpose_conv_s8(const th_transpose_conv_params *p, const int8_t *input, const int8_t *weights,
                                    const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                    int8_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            th_transpose_conv_s8_row(p, input, weights, bias, multipliers, shifts, oy, output);
            output += p->out_w * p->out_c;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
