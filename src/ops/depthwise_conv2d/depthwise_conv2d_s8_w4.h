/*
 * Depthwise convolution, int8 activations, int4 weights packed two to a byte (low nibble first), int32 accumulator;
 * bit-exact with depthwiseConv2dReference.
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * weights [k_h][k_w][out_c], bias [out_c] or NULL, out_c = in_c * multiplier,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [out_w][out_c].
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_W4_H
#define TH_DEPTHWISE_CONV2D_S8_W4_H

#include "depthwise_conv2d_params.h"
#include "th_rows.h"
#include "th_weighted_s8_w4.h"

typedef th_depthwise_conv2d_params th_depthwise_conv2d_params_s8_w4;

#define TH_TYPE s8_w4
#include "th_depthwise_row.h"
#undef TH_TYPE

TH_KERNEL void th_depthwise_conv2d_s8_w4(const th_depthwise_conv2d_params *p, const void *const *rows,
                                         const uint8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                         const int8_t *shifts, int8_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_depthwise_row_s8_w4(p, rows, weights, bias, &scale, output);
}

#endif
