/*
 * Logarithm of the softmax of int8 vectors (output scale 1/16, zero point 127); bit-exact with logSoftmaxReference.
 * input and output [rows][depth]; they may be the same memory.
 */
#ifndef TH_LOG_SOFTMAX_S8_H
#define TH_LOG_SOFTMAX_S8_H

#include "th_exp.h"

typedef struct {
    int32_t rows, depth;
    int32_t multiplier, shift;                 /* of the difference to the largest element, to Q5.26 */
    int32_t reverse_multiplier, reverse_shift; /* from Q5.26 to differences */
    int32_t diff_min;                          /* differences below it count as minus infinity */
} th_log_softmax_params;

TH_INLINE int32_t th_log_softmax_s8_scaled(const th_log_softmax_params *p, int32_t diff)
{
    return th_rounding_doubling_high_mul((int32_t)((uint32_t)diff << p->shift), p->multiplier);
}

TH_INLINE void th_log_softmax_s8_row(const th_log_softmax_params *p, const int8_t *input, int8_t *output)
{
    int32_t largest = INT8_MIN;
    int32_t sum = 0; /* 12 bits before the point */
    for (int32_t c = 0; c < p->depth; c++) {
        largest = th_max(largest, input[c]);
    }
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        if (diff >= p->diff_min) {
            sum += th_rounding_divide_by_pot(th_exp_on_negative_values(th_log_softmax_s8_scaled(p, diff)), 12);
        }
    }
    const int32_t log_sum = th_fixed_log(sum);
    /* The least difference from which the logarithm can be subtracted in Q5.26. */
    const int32_t reach = th_requantize(log_sum + INT32_MIN, p->reverse_multiplier, p->reverse_shift);
    const int32_t above = th_max(p->diff_min - 1, reach);
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        int32_t value = INT8_MIN;
        if (diff > above) {
            value = th_rounding_divide_by_pot(th_log_softmax_s8_scaled(p, diff) - log_sum, 22) + INT8_MAX;
        }
        output[c] = (int8_t)th_clamp(value, INT8_MIN, INT8_MAX);
    }
}

TH_KERNEL void th_log_softmax_s8(const th_log_softmax_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        th_log_softmax_s8_row(p, input + row * p->depth, output + row * p->depth);
    }
}

#endif
