/*
 * Depthwise convolution, int8 activations, int4 weights packed two to a byte (low nibble first), int32 accumulator;
 * bit-exact with depthwiseConv2dReference.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_W4_H
#define TH_DEPTHWISE_CONV2D_S8_W4_H

#include "depthwise_conv2d_params.h"
#include "th_fixedpoint.h"
#include "th_rows.h"

TH_KERNEL void th_depthwise_conv2d_s8_w4(const th_depthwise_conv2d_params *p, const void *const *rows,
                                         const uint8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                         const int8_t *shifts, int8_t *output)
{
    const int32_t in_c = p->in_c;
    const int32_t in_step = p->in_step;
    const int32_t multiplier = p->multiplier;
    const int32_t out_c = in_c * multiplier;
    const int32_t k_w = p->k_w;
    const int32_t dilation_w = p->dilation_w;
    const int32_t in_zero = p->in_zero;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, dilation_w, k_w, p->in_w);
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t ic = multiplier == 1 ? oc : oc / multiplier;
            int32_t sum = bias ? bias[oc] : 0;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const int8_t *row = (const int8_t *)rows[ky];
                const int32_t filter = ky * k_w * out_c + oc;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    sum += (row[(x0 + kx * dilation_w) * in_step + ic] - in_zero) * th_int4(weights, filter + kx * out_c);
                }
            }
            const int32_t m = oc * p->multiplier_step;
            const int32_t value = th_requantize(sum, multipliers[m], shifts[m]) + p->out_zero;
            output[oc] = (int8_t)th_clamp(value, p->min, p->max);
        }
        output += p->out_step;
    }
}

#endif
