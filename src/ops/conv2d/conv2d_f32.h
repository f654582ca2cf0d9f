/*
 * Convolution, float32.
 * input [batch][in_h][in_w][in_c], weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL,
 * output [batch][out_h][out_w][out_c].
 */
#ifndef TH_CONV2D_F32_H
#define TH_CONV2D_F32_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t k_h, k_w, k_c;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    float min, max; /* of the activation */
} th_conv2d_f32_params;

/* One output row; `input` is the image it lies in, y0 the (possibly negative) first input row of its window. */
TH_INLINE void th_conv2d_f32_row(const th_conv2d_f32_params *p, const float *input, const float *weights,
                                const float *bias, int32_t y0,
                                float *output)
{
    const int32_t k_c = p->k_c;
    const int32_t per_group = p->out_c / (p->in_c / k_c);
    const th_taps rows = th_taps_inside(y0, p->dilation_h, p->k_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const int32_t first = oc / per_group * k_c;
            float sum = bias ? bias[oc] : 0.0f;
            for (int32_t ky = rows.first; ky < rows.end; ky++) {
                const float *row = input + (y0 + ky * p->dilation_h) * p->in_w * p->in_c + first;
                const float *filter = weights + (oc * p->k_h + ky) * p->k_w * k_c;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    const float *in = row + (x0 + kx * p->dilation_w) * p->in_c;
                    for (int32_t c = 0; c < k_c; c++) {
                        sum += in[c] * filter[kx * k_c + c];
                    }
                }
            }
            *output++ = th_clampf(sum, p->min, p->max);
        }
    }
}

TH_KERNEL void th_conv2d_f32(const th_conv2d_f32_params *p, const float *input, const float *weights,
                            const float *bias, float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            th_conv2d_f32_row(p, input, weights, bias, oy * p->stride_h - p->pad_top, output);
            output += p->out_w * p->out_c;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
