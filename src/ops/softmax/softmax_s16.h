/*
 * Softmax of int16 vectors by tables (output scale 2^-15, zero point 0); bit-exact with softmaxReference.
 * input and output [rows][depth], exp_table of exp(x) over [-10, 0], reciprocal_table of 1 / (1 + x) over [0, 1];
 * the output may overlap the input's elements exactly.
 */
#ifndef TH_SOFTMAX_S16_H
#define TH_SOFTMAX_S16_H

#include "softmax_params.h"
#include "th_exp.h"
#include "th_lut16.h"

TH_INLINE void th_softmax_s16_row(const th_softmax_params *p, const int16_t *input, const int16_t *exp_table,
                                  const int16_t *reciprocal_table, int16_t *output)
{
    int32_t largest = INT16_MIN;
    int32_t sum = 0; /* Q16.15 */
    for (int32_t c = 0; c < p->depth; c++) {
        largest = th_max(largest, input[c]);
    }
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t scaled = th_requantize(input[c] - largest, p->multiplier, p->shift);
        output[c] = th_lookup16(exp_table, th_clamp(scaled + INT16_MAX, INT16_MIN, INT16_MAX));
        sum += output[c];
    }
    const int32_t headroom = th_leading_zeros((uint32_t)sum);
    const int32_t shifted = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
    const int32_t centred = th_clamp(shifted - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
    const int32_t scale = th_lookup16(reciprocal_table, centred);
    const int32_t shift = 31 - headroom;
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t value = (int32_t)(((int64_t)output[c] * scale + (1 << (shift - 1))) >> shift);
        output[c] = (int16_t)th_clamp(value, 0, INT16_MAX);
    }
}

TH_KERNEL void th_softmax_s16(const th_softmax_params *p, const int16_t *input, const int16_t *exp_table,
                              const int16_t *reciprocal_table, int16_t *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        th_softmax_s16_row(p, input + row * p->depth, exp_table, reciprocal_table, output + row * p->depth);
    }
}

#endif
