/*
 * Average pooling, float32.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_F32_H
#define TH_AVERAGE_POOL2D_F32_H

#include "th_pool2d.h"
#include "th_rows.h"

/* The sum with `width` elements of one channel, side by side in a row. */
TH_INLINE float th_average_pool2d_f32_add(float sum, const float *in, int32_t width, int32_t step)
{
    for (int32_t i = 0; i < width; i++) {
        sum += in[i * step];
    }
    return sum;
}

TH_INLINE float th_average_pool2d_f32_of(const th_pool2d_f32_params *p, float sum, int32_t count)
{
    return th_clampf(sum / (float)count, p->min, p->max);
}

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void th_average_pool2d_f32(const th_pool2d_f32_params *p, const void *const *rows, float *output)
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
            float value = 0.0f;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                value = th_average_pool2d_f32_add(value, (const float *)rows[ky] + first + c, width, in_step);
            }
            output[c] = th_average_pool2d_f32_of(p, value, count);
        }
        output += p->out_step;
    }
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: float sums [out_w][channels], kept between calls.
 */
TH_KERNEL void th_average_pool2d_f32_fold(const th_pool2d_f32_params *p, int32_t y, const float *input, void *scratch,
                                          float *output)
{
    float *kept = (float *)scratch;
    const int32_t channels = p->channels;
    const int32_t in_step = p->in_step;
    const int32_t last = p->in_h - 1;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const float *first = input + (x0 + columns.first) * in_step;
        const int32_t width = columns.end - columns.first;
        const int32_t count = p->in_h * width;
        for (int32_t c = 0; c < channels; c++, kept++) {
            const float value = th_average_pool2d_f32_add(y > 0 ? *kept : 0.0f, first + c, width, in_step);
            if (y < last) {
                *kept = value;
            } else {
                output[c] = th_average_pool2d_f32_of(p, value, count);
            }
        }
        output += p->out_step;
    }
}

#endif
