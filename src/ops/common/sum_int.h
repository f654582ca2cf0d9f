/*
 * Quantized addition and subtraction (sign -1), int8 and int16; bit-exact with sumReference. Both inputs are brought
 * to a common scale with left_shift extra bits: 20 for int8, 15 for int16, where no sum can overflow.
 */
#ifndef TH_SUM_INT_H
#define TH_SUM_INT_H

#include "th_broadcast.h"
#include "th_fixedpoint.h"

typedef struct {
    th_broadcast b;
    int32_t sign;                   /* of the second input: 1 or -1 */
    int32_t left_shift;
    int32_t zero1, zero2, out_zero; /* zero points */
    int32_t multiplier1, shift1, multiplier2, shift2, out_multiplier, out_shift;
    int32_t min, max;               /* of the quantized output */
} th_sum_params;

TH_INLINE int32_t th_sum_value(const th_sum_params *p, int32_t x1, int32_t x2)
{
    const int32_t wide1 = (int32_t)((uint32_t)(x1 - p->zero1) << p->left_shift);
    const int32_t wide2 = (int32_t)((uint32_t)(x2 - p->zero2) << p->left_shift);
    const int32_t sum = th_requantize(wide1, p->multiplier1, p->shift1) +
                        p->sign * th_requantize(wide2, p->multiplier2, p->shift2);
    const uint32_t scaled = (uint32_t)th_requantize(sum, p->out_multiplier, p->out_shift);
    return th_clamp((int32_t)(scaled + (uint32_t)p->out_zero), p->min, p->max);
}

TH_DEFINE_BINARY(th_sum_s8, th_sum_params, int8_t, th_sum_value)
TH_DEFINE_BINARY(th_sum_s16, th_sum_params, int16_t, th_sum_value)

#endif
