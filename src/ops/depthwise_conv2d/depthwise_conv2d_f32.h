/*
 * Depthwise convolution, float32.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier, output [out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_F32_H
#define TH_DEPTHWISE_CONV2D_F32_H

#include "th_rows.h"

typedef struct {
    int32_t in_w, in_c, out_w;
    int32_t in_step, out_step; /* from pixel to pixel */
    int32_t k_h, k_w, multiplier;
    int32_t stride_w, dilation_w, pad_left;
    float min, max; /* of the activation */
} th_depthwise_conv2d_f32_params;

TH_KERNEL void th_depthwise_conv2d_f32(const th_depthwise_conv2d_f32_params *p, const void *const *rows,
                                       const float *weights, const float *bias, float *output)
{
    const int32_t in_c = p->in_c;
    const int32_t in_step = p->in_step;
    const int32_t multiplier = p->multiplier;
    const int32_t out_c = in_c * multiplier;
    const int32_t k_w = p->k_w;
    const int32_t dilation_w = p->dilation_w;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, dilation_w, k_w, p->in_w);
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t ic = multiplier == 1 ? oc : oc / multiplier;
            float sum = bias ? bias[oc] : 0.0f;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const float *row = (const float *)rows[ky];
                const float *filter = weights + ky * k_w * out_c + oc;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    sum += row[(x0 + kx * dilation_w) * in_step + ic] * filter[kx * out_c];
                }
            }
            output[oc] = th_clampf(sum, p->min, p->max);
        }
        output += p->out_step;
    }
}

#endif
