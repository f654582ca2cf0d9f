/*
 * Softmax of int8 vectors with int8 results (scale 2^-8, zero point INT8_MIN); bit-exact with softmaxReference.
 * input and output [rows][depth]; the output may overlap the input's elements exactly.
 */
#ifndef TH_SOFTMAX_S8_H
#define TH_SOFTMAX_S8_H

#include "softmax_params.h"
#include "th_exp.h"

TH_INLINE int32_t th_softmax_s8_exp(const th_softmax_params *p, int32_t diff)
{
    const int32_t scaled = (int32_t)((uint32_t)diff << p->shift);
    return th_exp_on_negative_values(th_rounding_doubling_high_mul(scaled, p->multiplier));
}

TH_INLINE void th_softmax_s8_row(const th_softmax_params *p, const int8_t *input, int8_t *output)
{
    int32_t largest = INT8_MIN;
    uint32_t sum = 0; /* 12 bits before the point */
    int32_t bits_over_unit;
    for (int32_t c = 0; c < p->depth; c++) {
        largest = th_max(largest, input[c]);
    }
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        if (diff >= p->diff_min) {
            sum += (uint32_t)th_rounding_divide_by_pot(th_softmax_s8_exp(p, diff), 12);
        }
    }
    const int32_t scale = th_reciprocal(sum, 12, &bits_over_unit);
    const int32_t shift = bits_over_unit + 31 - 8;
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        int32_t value = INT8_MIN;
        /* Beyond 31 bits the quotient is less than a half. */
        if (diff >= p->diff_min && shift <= 31) {
            const int32_t share = th_rounding_doubling_high_mul(scale, th_softmax_s8_exp(p, diff));
            value += th_rounding_divide_by_pot(share, shift);
        }
        output[c] = (int8_t)th_min(value, INT8_MAX);
    }
}

TH_KERNEL void th_softmax_s8(const th_softmax_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        th_softmax_s8_row(p, input + row * p->depth, output + row * p->depth);
    }
}

#endif
