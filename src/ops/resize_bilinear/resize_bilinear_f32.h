/*
 * Bilinear image resize, float32.
 * input [batch][in_h][in_w][channels], output [batch][out_h][out_w][channels].
 */
#ifndef TH_RESIZE_BILINEAR_F32_H
#define TH_RESIZE_BILINEAR_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t batch, in_h, in_w, channels, out_h, out_w;
    float scale_h, scale_w;
    float half; /* 0.5 for sampling at pixel centres, else 0 */
} th_resize_bilinear_f32_params;

/* Where output place i lies in the input: the places around it, and its distance from the first. */
TH_INLINE float th_resize_bilinear_f32_place(float i, float scale, float half, int32_t size, int32_t *first,
                                             int32_t *second)
{
    const float place = (i + half) * scale - half;
    *first = th_max((int32_t)floorf(place), 0);
    *second = th_min((int32_t)ceilf(place), size - 1);
    return place - (float)*first;
}

TH_INLINE void th_resize_bilinear_f32_row(const th_resize_bilinear_f32_params *p, const float *upper,
                                          const float *lower, float dy, float *output)
{
    for (int32_t x = 0; x < p->out_w; x++) {
        int32_t left;
        int32_t right;
        const float dx = th_resize_bilinear_f32_place((float)x, p->scale_w, p->half, p->in_w, &left, &right);
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t l = left * p->channels + c;
            const int32_t r = right * p->channels + c;
            *output++ = upper[l] * (1.0f - dy) * (1.0f - dx) + lower[l] * dy * (1.0f - dx) +
                        upper[r] * (1.0f - dy) * dx + lower[r] * dy * dx;
        }
    }
}

TH_KERNEL void th_resize_bilinear_f32(const th_resize_bilinear_f32_params *p, const float *input, float *output)
{
    const int32_t row = p->in_w * p->channels;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t y = 0; y < p->out_h; y++) {
            int32_t top;
            int32_t bottom;
            const float dy = th_resize_bilinear_f32_place((float)y, p->scale_h, p->half, p->in_h, &top, &bottom);
            th_resize_bilinear_f32_row(p, input + top * row, input + bottom * row, dy, output);
            output += p->out_w * p->channels;
        }
        input += p->in_h * row;
    }
}

#endif
