/*
 * Bilinear image resize, int16, positions with ten bits after the point; bit-exact with resizeBilinearReference.
 * input [batch][in_h][in_w][channels], output [batch][out_h][out_w][channels].
 */
#ifndef TH_RESIZE_BILINEAR_S16_H
#define TH_RESIZE_BILINEAR_S16_H

#include "resize_bilinear_params.h"

/* One output row, between input rows `upper` and `lower` of which the lower one weighs `dy` / 1024. */
TH_INLINE void th_resize_bilinear_s16_row(const th_resize_bilinear_params *p, const int16_t *upper,
                                          const int16_t *lower, int32_t dy, int16_t *output)
{
    for (int32_t x = 0; x < p->out_w; x++) {
        const int32_t place = th_resize_place(x, p->scale_w, p->offset_w);
        const int32_t left = th_resize_before(place);
        const int32_t right = th_resize_after(place, p->in_w);
        const int32_t dx = place - left * 1024;
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t l = left * p->channels + c;
            const int32_t r = right * p->channels + c;
            const int64_t sum = (int64_t)upper[l] * (1024 - dy) * (1024 - dx) + (int64_t)lower[l] * dy * (1024 - dx) +
                                (int64_t)upper[r] * (1024 - dy) * dx + (int64_t)lower[r] * dy * dx;
            *output++ = (int16_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
        }
    }
}

TH_KERNEL void th_resize_bilinear_s16(const th_resize_bilinear_params *p, const int16_t *input, int16_t *output)
{
    const int32_t row = p->in_w * p->channels;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t y = 0; y < p->out_h; y++) {
            const int32_t place = th_resize_place(y, p->scale_h, p->offset_h);
            const int32_t top = th_resize_before(place);
            const int16_t *lower = input + th_resize_after(place, p->in_h) * row;
            th_resize_bilinear_s16_row(p, input + top * row, lower, place - top * 1024, output);
            output += p->out_w * p->channels;
        }
        input += p->in_h * row;
    }
}

#endif
