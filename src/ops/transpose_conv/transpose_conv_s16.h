/*
 * Transposed convolution, int16 activations, int8 weights, int64 bias and accumulator; bit-exact with
 * transposeConvReference.
 * Computes output row y: rows [ceil(k_h / stride_h)] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (i, j) reaches output (i * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_S16_H
#define TH_TRANSPOSE_CONV_S16_H

#include "th_rows.h"
#include "th_weighted_s16.h"
#include "transpose_conv_params.h"
#include "transpose_conv_taps.h"

typedef th_transpose_conv_params th_transpose_conv_params_s16;

#define TH_TYPE s16
#include "th_transpose_conv_row.h"
#undef TH_TYPE

TH_KERNEL void th_transpose_conv_s16(const th_transpose_conv_params *p, const void *const *rows, int32_t y,
                                     const int8_t *weights, const int64_t *bias, const int32_t *multipliers,
                                     const int8_t *shifts, int16_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_transpose_conv_row_s16(p, rows, y, weights, bias, &scale, output);
}

#endif
