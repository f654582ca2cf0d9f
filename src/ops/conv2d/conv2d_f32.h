/*
 * Convolution, float32.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL, output [out_w][out_c].
 */
#ifndef TH_CONV2D_F32_H
#define TH_CONV2D_F32_H

#include "th_rows.h"

typedef struct {
    int32_t in_w, in_c, in_step; /* step: from pixel to pixel */
    int32_t out_w, out_c, out_step;
    int32_t k_h, k_w, k_c;
    int32_t stride_w, dilation_w, pad_left;
    float min, max; /* of the activation */
} th_conv2d_f32_params;

TH_KERNEL void th_conv2d_f32(const th_conv2d_f32_params *p, const void *const *rows, const float *weights,
                             const float *bias, float *output)
{
    const int32_t in_c = p->in_c;
    const int32_t in_step = p->in_step;
    const int32_t out_c = p->out_c;
    const int32_t k_h = p->k_h;
    const int32_t k_w = p->k_w;
    const int32_t k_c = p->k_c;
    const int32_t dilation_w = p->dilation_w;
    const int32_t per_group = out_c / (in_c / k_c);
    const th_taps inside = th_rows_inside(rows, k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, dilation_w, k_w, p->in_w);
        for (int32_t oc = 0; oc < out_c; oc++) {
            const int32_t first = oc / per_group * k_c;
            float sum = bias ? bias[oc] : 0.0f;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const float *row = (const float *)rows[ky];
                const float *filter = weights + (oc * k_h + ky) * k_w * k_c;
                for (int32_t kx = columns.first; kx < columns.end; kx++) {
                    const float *in = row + (x0 + kx * dilation_w) * in_step + first;
                    const float *w = filter + kx * k_c;
                    for (int32_t c = 0; c < k_c; c++) {
                        sum += in[c] * w[c];
                    }
                }
            }
            output[oc] = th_clampf(sum, p->min, p->max);
        }
        output += p->out_step;
    }
}

#endif
