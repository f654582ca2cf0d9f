/*
 * Convolution, float32.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL, output [out_w][out_c].
 */
#ifndef TH_CONV2D_F32_H
#define TH_CONV2D_F32_H

#include "th_rows.h"
#include "th_weighted_f32.h"

typedef struct {
    int32_t in_w, in_c, in_step; /* step: from pixel to pixel */
    int32_t out_w, out_c, out_step;
    int32_t k_h, k_w, k_c;
    int32_t stride_w, dilation_w, pad_left;
    float min, max; /* of the activation */
} th_conv2d_f32_params;
typedef th_conv2d_f32_params th_conv2d_params_f32;

#define TH_TYPE f32
#include "th_conv2d_row.h"
#undef TH_TYPE

TH_KERNEL void th_conv2d_f32(const th_conv2d_f32_params *p, const void *const *rows, const float *weights,
                             const float *bias, float *output)
{
    const th_scale_f32 scale = {p->min, p->max};
    th_conv2d_row_f32(p, rows, weights, bias, &scale, output);
}

#endif
