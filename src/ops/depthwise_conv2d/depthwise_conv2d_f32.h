/*
 * Depthwise convolution, float32.
 * input [batch][in_h][in_w][in_c], weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier,,
 * output [batch][out_h][out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_F32_H
#define TH_DEPTHWISE_CONV2D_F32_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_h, in_w, in_c;
    int32_t out_h, out_w;
    int32_t k_h, k_w, multiplier;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    float min, max; /* of the activation */
} th_depthwise_conv2d_f32_params;

/* One output row; `input` is the image it lies in, y0 the (possibly negative) first input row of its window. */
TH_INLINE void th_depthwise_conv2d_f32_row(const th_depthwise_conv2d_f32_params *p, const float *input,
                                           const float *weights, const float *bias, int32_t y0, float *output)
{
    const int32_t in_c = p->in_c;
    const int32_t multiplier = p->multiplier;
    const int32_t out_c = in_c * multiplier;
    const th_taps rows = th_taps_inside(y0, p->dilation_h, p->k_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t ic = multiplier == 1 ? oc : oc / multiplier;
            float sum = bias ? bias[oc] : 0.0f;
            for (int32_t ky = rows.first; ky < rows.end; ky++) {
                const float *row = input + (y0 + ky * p->dilation_h) * p->in_w * in_c + ic;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    sum += row[(x0 + kx * p->dilation_w) * in_c] * weights[(ky * p->k_w + kx) * out_c + oc];
                }
            }
            *output++ = th_clampf(sum, p->min, p->max);
        }
    }
}

TH_KERNEL void th_depthwise_conv2d_f32(const th_depthwise_conv2d_f32_params *p, const float *input,
                                       const float *weights, const float *bias, float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const int32_t y0 = oy * p->stride_h - p->pad_top;
            th_depthwise_conv2d_f32_row(p, input, weights, bias, y0, output);
            output += p->out_w * p->in_c * p->multiplier;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
