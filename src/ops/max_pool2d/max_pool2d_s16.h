/*
 * Maximum pooling, int16; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S16_H
#define TH_MAX_POOL2D_S16_H

#include "th_pool2d.h"
#include "th_rows.h"

/* The maximum of the value and `width` elements of one channel, side by side in a row. */
TH_INLINE int32_t th_max_pool2d_s16_add(int32_t value, const int16_t *in, int32_t width, int32_t step)
{
    for (int32_t i = 0; i < width; i++) {
        value = th_max(value, in[i * step]);
    }
    return value;
}

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void th_max_pool2d_s16(const th_pool2d_params *p, const void *const *rows, int16_t *output)
{
    const int32_t channels = p->channels;
    const int32_t in_step = p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * in_step;
        const int32_t width = columns.end - columns.first;
        for (int32_t c = 0; c < channels; c++) {
            int32_t value = INT16_MIN;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                value = th_max_pool2d_s16_add(value, (const int16_t *)rows[ky] + first + c, width, in_step);
            }
            output[c] = (int16_t)th_clamp(value, p->min, p->max);
        }
        output += p->out_step;
    }
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: maxima [out_w][channels], kept between calls.
 */
TH_KERNEL void th_max_pool2d_s16_fold(const th_pool2d_params *p, int32_t y, const int16_t *input, void *scratch,
                                      int16_t *output)
{
    int16_t *kept = (int16_t *)scratch;
    const int32_t channels = p->channels;
    const int32_t in_step = p->in_step;
    const int32_t last = p->in_h - 1;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int16_t *first = input + (x0 + columns.first) * in_step;
        const int32_t width = columns.end - columns.first;
        for (int32_t c = 0; c < channels; c++, kept++) {
            const int32_t value = th_max_pool2d_s16_add(y > 0 ? *kept : INT16_MIN, first + c, width, in_step);
            if (y < last) {
                *kept = (int16_t)value;
            } else {
                output[c] = (int16_t)th_clamp(value, p->min, p->max);
            }
        }
        output += p->out_step;
    }
}

#endif
