/*
 * Maximum pooling, int16; bit-exact with the family's reference in pool2d.ts.
 * input [batch][in_h][in_w][channels], output [batch][out_h][out_w][channels]; padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S16_H
#define TH_MAX_POOL2D_S16_H

#include "th_pool2d.h"

/* One output row; `input` is the image it lies in, y0 the (possibly negative) first input row of its window. */
TH_INLINE void th_max_pool2d_s16_row(const th_pool2d_params *p, const int16_t *input, int32_t y0, int16_t *output)
{
    const int32_t y_from = th_max(y0, 0);
    const int32_t y_to = th_min(y0 + p->k_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int32_t x_from = th_max(x0, 0);
        const int32_t x_to = th_min(x0 + p->k_w, p->in_w);
        for (int32_t c = 0; c < p->channels; c++) {
            int32_t value = INT16_MIN;
            for (int32_t y = y_from; y < y_to; y++) {
                for (int32_t x = x_from; x < x_to; x++) {
                    const int32_t i = (y * p->in_w + x) * p->channels + c;
                    value = th_max(value, input[i]);
                }
            }
            *output++ = (int16_t)th_clamp(value, p->min, p->max);
        }
    }
}

TH_KERNEL void th_max_pool2d_s16(const th_pool2d_params *p, const int16_t *input, int16_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            th_max_pool2d_s16_row(p, input, oy * p->stride_h - p->pad_top, output);
            output += p->out_w * p->channels;
        }
        input += p->in_h * p->in_w * p->channels;
    }
}

#endif
