/*
 * Average pooling, int8; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_S8_H
#define TH_AVERAGE_POOL2D_S8_H

#include "th_pool2d.h"
#include "th_rows.h"

/* The sum with `width` elements of one channel, side by side in a row. */
TH_INLINE int32_t th_average_pool2d_s8_add(int32_t sum, const int8_t *in, int32_t width, int32_t step)
{
    for (int32_t i = 0; i < width; i++) {
        sum += in[i * step];
    }
    return sum;
}

/* The average of `count` elements, halves rounded away from zero. */
TH_INLINE int8_t th_average_pool2d_s8_of(const th_pool2d_params *p, int32_t sum, int32_t count)
{
    const int32_t average = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
    return (int8_t)th_clamp(average, p->min, p->max);
}

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void th_average_pool2d_s8(const th_pool2d_params *p, const void *const *rows, int8_t *output)
{
    const int32_t channels = p->channels;
    const int32_t in_step = p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * in_step;
        const int32_t width = columns.end - columns.first;
        const int32_t count = (inside.end - inside.first) * width;
        for (int32_t c = 0; c < channels; c++) {
            int32_t value = 0;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                value = th_average_pool2d_s8_add(value, (const int8_t *)rows[ky] + first + c, width, in_step);
            }
            output[c] = th_average_pool2d_s8_of(p, value, count);
        }
        output += p->out_step;
    }
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: int32 sums [out_w][channels], kept between calls.
 */
TH_KERNEL void th_average_pool2d_s8_fold(const th_pool2d_params *p, int32_t y, const int8_t *input, void *scratch,
                                         int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    const int32_t channels = p->channels;
    const int32_t in_step = p->in_step;
    const int32_t last = p->in_h - 1;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int8_t *first = input + (x0 + columns.first) * in_step;
        const int32_t width = columns.end - columns.first;
        const int32_t count = p->in_h * width;
        for (int32_t c = 0; c < channels; c++, kept++) {
            const int32_t value = th_average_pool2d_s8_add(y > 0 ? *kept : 0, first + c, width, in_step);
            if (y < last) {
                *kept = value;
            } else {
                output[c] = th_average_pool2d_s8_of(p, value, count);
            }
        }
        output += p->out_step;
    }
}

#endif
