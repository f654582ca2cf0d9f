/*
 * Convolution, int8 activations and weights, int32 accumulator; bit-exact with conv2dReference.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 */
#ifndef TH_CONV2D_S8_H
#define TH_CONV2D_S8_H

#include "conv2d_params.h"
#include "th_rows.h"
#include "th_weighted_s8.h"

typedef th_conv2d_params th_conv2d_params_s8;

#define TH_TYPE s8
#include "th_conv2d_row.h"
#undef TH_TYPE

TH_KERNEL void th_conv2d_s8(const th_conv2d_params *p, const void *const *rows, const int8_t *weights,
                            const int32_t *bias, const int32_t *multipliers, const int8_t *shifts, int8_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_conv2d_row_s8(p, rows, weights, bias, &scale, output);
}

#endif
