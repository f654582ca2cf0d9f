/*
 * Bilinear image resize, int16, positions with ten bits after the point; bit-exact with resizeBilinearReference.
 * One output row [out_w][channels] from the input rows [in_w][channels] above and below its place.
 */
#ifndef TH_RESIZE_BILINEAR_S16_H
#define TH_RESIZE_BILINEAR_S16_H

#include "resize_bilinear_params.h"

/* rows: the input row above output row `row`, and the one below it, which is not read if that is outside. */
TH_KERNEL void th_resize_bilinear_s16_row(const th_resize_bilinear_params *p, const void *const *rows, int32_t row,
                                        int16_t *output)
{
    const int32_t in_w = p->in_w;
    const int32_t out_w = p->out_w;
    const int32_t channels = p->channels;
    const int32_t scale_w = p->scale_w;
    const int32_t offset_w = p->offset_w;
    const int32_t vertical = th_resize_place(row, p->scale_h, p->offset_h);
    const int32_t top = th_resize_before(vertical, p->in_h);
    const int32_t dy = vertical - top * 1024;
    const int16_t *upper = (const int16_t *)rows[0];
    const int16_t *lower = (const int16_t *)rows[th_resize_after(vertical, p->in_h) - top];
    for (int32_t x = 0; x < out_w; x++) {
        const int32_t place = th_resize_place(x, scale_w, offset_w);
        const int32_t left = th_resize_before(place, in_w);
        const int32_t right = th_resize_after(place, in_w);
        const int32_t dx = place - left * 1024;
        for (int32_t c = 0; c < channels; c++) {
            const int32_t l = left * channels + c;
            const int32_t r = right * channels + c;
            const int64_t sum = (int64_t)upper[l] * (1024 - dy) * (1024 - dx) + (int64_t)lower[l] * dy * (1024 - dx) +
                                (int64_t)upper[r] * (1024 - dy) * dx + (int64_t)lower[r] * dy * dx;
            *output++ = (int16_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
        }
    }
}

#endif
