/*
 * Maximum pooling, int8, of four or more channels, for cores with SIMD on bytes; bit-exact with the family's reference in
 * pool2d.ts. Eight channels at a time, then four, the last four of those before if need be. Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S8_DSP_H
#define TH_MAX_POOL2D_S8_DSP_H

#include "th_limit_s8.h"
#include "th_pool2d.h"
#include "th_rows.h"

/* Four times the least byte. */
#define TH_MAX_POOL2D_LEAST UINT32_C(0x80808080)

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void th_max_pool2d_s8_dsp(const th_pool2d_params *p, const void *const *rows, int8_t *output)
{
    const int32_t step = p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    int8_t *to = output;
    for (int32_t ox = 0; ox < p->out_w; ox++, to += p->out_step) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * step;
        const int32_t width = columns.end - columns.first;
        int32_t c = 0;
        for (; c + 8 <= p->channels; c += 8) {
            uint32_t a = TH_MAX_POOL2D_LEAST;
            uint32_t b = TH_MAX_POOL2D_LEAST;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const int8_t *in = (const int8_t *)rows[ky] + first + c;
                for (int32_t i = width; i > 0; i--, in += step) {
                    a = th_larger4(a, th_load32(in));
                    b = th_larger4(b, th_load32(in + 4));
                }
            }
            th_store32(to + c, a);
            th_store32(to + c + 4, b);
        }
        for (; c < p->channels; c += 4) {
            c = th_min(c, p->channels - 4);
            uint32_t a = TH_MAX_POOL2D_LEAST;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const int8_t *in = (const int8_t *)rows[ky] + first + c;
                for (int32_t i = width; i > 0; i--, in += step) {
                    a = th_larger4(a, th_load32(in));
                }
            }
            th_store32(to + c, a);
        }
    }
    th_limit_s8(output, p->out_step, p->out_w, p->channels, p->min, p->max);
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: maxima [out_w][channels], kept between calls.
 */
TH_KERNEL void th_max_pool2d_s8_dsp_fold(const th_pool2d_params *p, int32_t y, const int8_t *input, void *scratch,
                                         int8_t *output)
{
    int8_t *kept = (int8_t *)scratch;
    const int32_t is_last = y + 1 == p->in_h;
    if (y == 0) {
        memset(kept, INT8_MIN, (size_t)(p->out_w * p->channels));
    }
    for (int32_t ox = 0; ox < p->out_w; ox++, kept += p->channels) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int8_t *first = input + (x0 + columns.first) * p->in_step;
        for (int32_t done = 0; done < p->channels; done += 4) {
            const int32_t c = th_min(done, p->channels - 4);
            const int8_t *in = first + c;
            uint32_t a = th_load32(kept + c);
            for (int32_t i = columns.end - columns.first; i > 0; i--, in += p->in_step) {
                a = th_larger4(a, th_load32(in));
            }
            th_store32(kept + c, a);
        }
        if (is_last) {
            memcpy(output + ox * p->out_step, kept, (size_t)p->channels);
        }
    }
    if (is_last) {
        th_limit_s8(output, p->out_step, p->out_w, p->channels, p->min, p->max);
    }
}

#endif
