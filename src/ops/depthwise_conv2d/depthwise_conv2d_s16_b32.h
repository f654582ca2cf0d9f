/*
 * Depthwise convolution, int16 activations, int8 weights, int32 bias and accumulator; bit-exact with
 * depthwiseConv2dReference.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_S16_B32_H
#define TH_DEPTHWISE_CONV2D_S16_B32_H

#include "depthwise_conv2d_params.h"
#include "th_rows.h"
#include "th_weighted_s16_b32.h"

typedef th_depthwise_conv2d_params th_depthwise_conv2d_params_s16_b32;

#define TH_TYPE s16_b32
#include "th_depthwise_row.h"
#undef TH_TYPE

TH_KERNEL void th_depthwise_conv2d_s16_b32(const th_depthwise_conv2d_params *p, const void *const *rows,
                                           const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                           const int8_t *shifts, int16_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_depthwise_row_s16_b32(p, rows, weights, bias, &scale, output);
}

#endif
