/*
 * Bilinear image resize, float32.
 * One output row [out_w][channels] from the input rows [in_w][channels] above and below its place.
 */
#ifndef TH_RESIZE_BILINEAR_F32_H
#define TH_RESIZE_BILINEAR_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t in_h, in_w, channels, out_w;
    float scale_h, scale_w;
    float half; /* 0.5 for sampling at pixel centres, else 0 */
} th_resize_bilinear_f32_params;

/* Where output place i lies in the input: the places around it, and its distance from the first. */
TH_INLINE float th_resize_bilinear_f32_place(float i, float scale, float half, int32_t size, int32_t *first,
                                             int32_t *second)
{
    const float place = (i + half) * scale - half;
    *first = th_clamp((int32_t)floorf(place), 0, size - 1);
    *second = th_min((int32_t)ceilf(place), size - 1);
    return place - (float)*first;
}

/* rows: the input row above output row `row`, and the one below it, which is not read if that is outside. */
TH_KERNEL void th_resize_bilinear_f32_row(const th_resize_bilinear_f32_params *p, const void *const *rows, int32_t row,
                                          float *output)
{
    const int32_t in_w = p->in_w;
    const int32_t out_w = p->out_w;
    const int32_t channels = p->channels;
    const float scale_w = p->scale_w;
    const float half = p->half;
    int32_t top;
    int32_t bottom;
    const float dy = th_resize_bilinear_f32_place((float)row, p->scale_h, half, p->in_h, &top, &bottom);
    const float *upper = (const float *)rows[0];
    const float *lower = (const float *)rows[bottom - top];
    for (int32_t x = 0; x < out_w; x++) {
        int32_t left;
        int32_t right;
        const float dx = th_resize_bilinear_f32_place((float)x, scale_w, half, in_w, &left, &right);
        for (int32_t c = 0; c < channels; c++) {
            const int32_t l = left * channels + c;
            const int32_t r = right * channels + c;
            *output++ = upper[l] * (1.0f - dy) * (1.0f - dx) + lower[l] * dy * (1.0f - dx) +
                        upper[r] * (1.0f - dy) * dx + lower[r] * dy * dx;
        }
    }
}

#endif
