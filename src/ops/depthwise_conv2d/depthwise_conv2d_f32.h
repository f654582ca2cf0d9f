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
    const int32_t out_c = p->in_c * p->multiplier;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t ic = oc / p->multiplier;
            float sum = bias ? bias[oc] : 0.0f;
            for (int32_t ky = 0; ky < p->k_h; ky++) {
                const int32_t iy = y0 + ky * p->dilation_h;
                if (iy < 0 || iy >= p->in_h) {
                    continue;
                }
                for (int32_t kx = 0; kx < p->k_w; kx++) {
                    const int32_t ix = x0 + kx * p->dilation_w;
                    if (ix < 0 || ix >= p->in_w) {
                        continue;
                    }
                    const int32_t w = (ky * p->k_w + kx) * out_c + oc;
                    sum += input[(iy * p->in_w + ix) * p->in_c + ic] * weights[w];
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
