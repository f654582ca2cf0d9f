/*
 * Transposed convolution, float32.
 * Computes output row y: rows [ceil(k_h / stride_h)] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL, output [out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (i, j) reaches output (i * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_F32_H
#define TH_TRANSPOSE_CONV_F32_H

#include "th_rows.h"
#include "th_weighted_f32.h"
#include "transpose_conv_taps.h"

typedef struct {
    int32_t in_w, in_c;
    int32_t out_w, out_c;
    int32_t k_h, k_w, stride_h, stride_w;
    int32_t pad_top, pad_left; /* rows and columns of the full result cut off before the output */
    float min, max;            /* of the activation */
} th_transpose_conv_f32_params;
typedef th_transpose_conv_f32_params th_transpose_conv_params_f32;

#define TH_TYPE f32
#include "th_transpose_conv_row.h"
#undef TH_TYPE

TH_KERNEL void th_transpose_conv_f32(const th_transpose_conv_f32_params *p, const void *const *rows, int32_t y,
                                     const float *weights, const float *bias, float *output)
{
    const th_scale_f32 scale = {p->min, p->max};
    th_transpose_conv_row_f32(p, rows, y, weights, bias, &scale, output);
}

#endif
