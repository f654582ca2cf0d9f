/*
 * Transposed convolution, int8 activations and weights, int32 accumulator; bit-exact with transposeConvReference.
 * Computes output row y: rows [ceil(k_h / stride_h)] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (i, j) reaches output (i * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_S8_H
#define TH_TRANSPOSE_CONV_S8_H

#include "th_rows.h"
#include "th_weighted_s8.h"
#include "transpose_conv_params.h"
#include "transpose_conv_taps.h"

typedef th_transpose_conv_params th_transpose_conv_params_s8;

#define TH_TYPE s8
#include "th_transpose_conv_row.h"
#undef TH_TYPE

TH_KERNEL void th_transpose_conv_s8(const th_transpose_conv_params *p, const void *const *rows, int32_t y,
                                    const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                    const int8_t *shifts, int8_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_transpose_conv_row_s8(p, rows, y, weights, bias, &scale, output);
}

#endif
