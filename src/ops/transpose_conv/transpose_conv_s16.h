/*
 * Transposed convolution, int16 activations, int8 weights, int64 bias and accumulator; bit-exact with
 * transposeConvReference.
 * Computes output row y: rows [ceil(k_h / stride_h)] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (i, j) reaches output (i * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_S16_H
#define TH_TRANSPOSE_CONV_S16_H

#include "th_fixedpoint.h"
#include "th_rows.h"
#include "transpose_conv_params.h"
#include "transpose_conv_taps.h"

TH_KERNEL void th_transpose_conv_s16(const th_transpose_conv_params *p, const void *const *rows, int32_t y,
                                     const int8_t *weights, const int64_t *bias, const int32_t *multipliers,
                                     const int8_t *shifts, int16_t *output)
{
    const int32_t in_c = p->in_c;
    const int32_t k_h = p->k_h;
    const int32_t k_w = p->k_w;
    const int32_t stride_h = p->stride_h;
    const int32_t stride_w = p->stride_w;
    const th_transpose_taps down = th_transpose_taps_at(y + p->pad_top, k_h, stride_h);
    const th_taps inside = th_rows_inside(rows, down.count);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x = ox + p->pad_left;
        const th_transpose_taps across = th_transpose_taps_at(x, k_w, stride_w);
        const int32_t x0 = (x - across.last) / stride_w;
        const th_taps columns = th_taps_inside(x0, 1, across.count, p->in_w);
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            int64_t sum = 0;
            for (int32_t i = inside.first; i < inside.end; i++) {
                const int16_t *row = (const int16_t *)rows[i];
                const int8_t *filter = weights + (oc * k_h + down.last - i * stride_h) * k_w * in_c;
                for (int32_t j = columns.first; j < columns.end; j++) {
                    const int16_t *in = row + (x0 + j) * in_c;
                    const int8_t *w = filter + (across.last - j * stride_w) * in_c;
                    for (int32_t c = 0; c < in_c; c++) {
                        sum += in[c] * w[c];
                    }
                }
            }
            const int32_t m = oc * p->multiplier_step;
            const int32_t scaled = th_requantize64(sum + (bias ? bias[oc] : 0), multipliers[m], shifts[m]);
            *output++ = (int16_t)th_clamp(scaled + p->out_zero, p->min, p->max);
        }
    }
}

#endif
