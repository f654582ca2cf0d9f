/*
 * Convolution without groups, int16 activations, int8 weights, for cores with the DSP instructions; bit-exact with
 * conv2dReference. Two output channels at a time; padding adds nothing, as zero points are 0.
 */
#ifndef TH_CONV2D_S16_DSP_H
#define TH_CONV2D_S16_DSP_H

#include "conv2d_params.h"
#include "th_dots_s16.h"
#include "th_fixedpoint.h"
#include "th_rows.h"

/* Adds the products of a window with the weights of two channels. */
TH_ROW void th_conv2d_s16_dsp_window(const th_conv2d_params *p, const void *const *rows, th_taps inside, int32_t x0,
                                     const int8_t *first, const int8_t *second, int64_t *sums)
{
    const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
    const int32_t is_run = p->dilation_w == 1 && p->in_step == p->in_c;
    for (int32_t ky = inside.first; ky < inside.end; ky++) {
        const int16_t *row = (const int16_t *)rows[ky];
        for (int32_t kx = columns.first; kx < columns.end; kx++) {
            const int32_t at = (ky * p->k_w + kx) * p->in_c;
            const int32_t taps = is_run ? columns.end - columns.first : 1;
            th_dots_s16(row + (x0 + kx * p->dilation_w) * p->in_step, first + at, second + at, taps * p->in_c, sums);
            kx += taps - 1;
        }
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input, weights
 * [out_c][k_h][k_w][in_c], bias [out_c] or NULL, multipliers and shifts [out_c] (or [1], see multiplier_step), output
 * [out_w][out_c]. Sums are of the type of the bias.
 */
#define TH_CONV2D_S16_DSP_DEFINE(name, type, requantize)                                                               \
    TH_KERNEL void name(const th_conv2d_params *p, const void *const *rows, const int8_t *weights, const type *bias,   \
                        const int32_t *multipliers, const int8_t *shifts, int16_t *output)                             \
    {                                                                                                                  \
        const th_taps inside = th_rows_inside(rows, p->k_h);                                                           \
        const int32_t depth = p->k_h * p->k_w * p->in_c;                                                               \
        for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step) {                                             \
            for (int32_t oc = 0; oc < p->out_c; oc += 2) {                                                             \
                const int32_t channels = th_min(p->out_c - oc, 2);                                                     \
                const int8_t *first = weights + oc * depth;                                                            \
                const int8_t *second = first + (channels - 1) * depth;                                                 \
                int64_t sums[2];                                                                                       \
                sums[0] = bias ? bias[oc] : 0;                                                                         \
                sums[1] = bias ? bias[oc + channels - 1] : 0;                                                          \
                th_conv2d_s16_dsp_window(p, rows, inside, ox * p->stride_w - p->pad_left, first, second, sums);        \
                for (int32_t c = oc; c < oc + channels; c++) {                                                         \
                    const int32_t m = c * p->multiplier_step;                                                          \
                    const int32_t value = requantize((type)sums[c - oc], multipliers[m], shifts[m]) + p->out_zero;     \
                    output[c] = (int16_t)th_clamp(value, p->min, p->max);                                              \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

TH_CONV2D_S16_DSP_DEFINE(th_conv2d_s16_dsp, int64_t, th_requantize64)
TH_CONV2D_S16_DSP_DEFINE(th_conv2d_s16_b32_dsp, int32_t, th_requantize)

#endif
