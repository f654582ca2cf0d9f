/*
 * Depthwise convolution, int16 activations, int8 weights, for cores with the DSP instructions; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, up to 511 taps, so that sums without their bias have 32 bits.
 * Four channels at a time; padding adds nothing, as zero points are 0.
 */
#ifndef TH_DEPTHWISE_CONV2D_S16_DSP_H
#define TH_DEPTHWISE_CONV2D_S16_DSP_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"
#include "th_fixedpoint.h"
#include "th_rows.h"

/* The sums of four channels, from channel c on, over the taps of a window that are inside; x0: its first column. */
TH_INLINE void th_depthwise_s16_dsp_sums(const th_depthwise_conv2d_params *p, const void *const *rows, th_taps inside,
                                         th_taps columns, int32_t x0, int32_t c, const int8_t *weights, int32_t *sums)
{
    const int32_t step = p->dilation_w * p->in_step;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int32_t ky = inside.first; ky < inside.end; ky++) {
        const int16_t *in = (const int16_t *)rows[ky] + x0 * p->in_step + columns.first * step + c;
        const int8_t *w = weights + (ky * p->k_w + columns.first) * p->in_c + c;
        for (int32_t left = columns.end - columns.first; left > 0; left--, in += step, w += p->in_c) {
            const uint32_t four = th_load32(w);
            const uint32_t even = th_sxtb16(four);
            const uint32_t odd = th_sxtb16_ror8(four);
            const uint32_t first = th_load32(in);
            const uint32_t second = th_load32(in + 2);
            s0 = th_smlabb(first, even, s0);
            s1 = th_smlatb(first, odd, s1);
            s2 = th_smlabt(second, even, s2);
            s3 = th_smlatt(second, odd, s3);
        }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input, weights [k_h][k_w][in_c],
 * bias [in_c] or NULL, multipliers and shifts [in_c] (or [1], see multiplier_step), output [out_w][in_c]. Sums with their bias
 * are of its type.
 */
#define TH_DEPTHWISE_S16_DSP_DEFINE(name, type, requantize)                                                            \
    TH_KERNEL void name(const th_depthwise_conv2d_params *p, const void *const *rows, const int8_t *weights,           \
                        const type *bias, const int32_t *multipliers, const int8_t *shifts, int16_t *output)           \
    {                                                                                                                  \
        const th_taps inside = th_rows_inside(rows, p->k_h);                                                           \
        for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step) {                                             \
            const int32_t x0 = ox * p->stride_w - p->pad_left;                                                         \
            const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);                                \
            for (int32_t done = 0; done < p->in_c; done += 4) {                                                        \
                /* The last four channels may be some of the four before. */                                           \
                const int32_t c = th_min(done, p->in_c - 4);                                                           \
                int32_t sums[4];                                                                                       \
                th_depthwise_s16_dsp_sums(p, rows, inside, columns, x0, c, weights, sums);                             \
                for (int32_t i = 0; i < 4; i++) {                                                                      \
                    const int32_t m = (c + i) * p->multiplier_step;                                                    \
                    const type sum = sums[i] + (bias ? bias[c + i] : 0);                                               \
                    const int32_t value = requantize(sum, multipliers[m], shifts[m]) + p->out_zero;                    \
                    output[c + i] = (int16_t)th_clamp(value, p->min, p->max);                                          \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

TH_DEPTHWISE_S16_DSP_DEFINE(th_depthwise_conv2d_s16_dsp, int64_t, th_requantize64)
TH_DEPTHWISE_S16_DSP_DEFINE(th_depthwise_conv2d_s16_b32_dsp, int32_t, th_requantize)

#endif
