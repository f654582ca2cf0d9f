/* Quantized (x1 - x2)^2, int8 and int16; bit-exact with SQUARED_DIFFERENCE's reference. */
#ifndef TH_SQUARED_DIFFERENCE_INT_H
#define TH_SQUARED_DIFFERENCE_INT_H

#include "th_broadcast.h"
#include "th_fixedpoint.h"

typedef struct {
    th_broadcast b;
    int32_t left_shift; /* 7 for int8, 0 for int16: the square still fits 32 bits */
    int32_t zero1, zero2, out_zero;
    int32_t multiplier1, shift1, multiplier2, shift2, out_multiplier, out_shift;
    int32_t min, max;
} th_squared_difference_params;

TH_INLINE int32_t th_squared_difference_value(const th_squared_difference_params *p, int32_t x1, int32_t x2)
{
    const int32_t wide1 = (int32_t)((uint32_t)(x1 - p->zero1) << p->left_shift);
    const int32_t wide2 = (int32_t)((uint32_t)(x2 - p->zero2) << p->left_shift);
    const int32_t difference =
        th_requantize(wide1, p->multiplier1, p->shift1) - th_requantize(wide2, p->multiplier2, p->shift2);
    const int32_t square = (int32_t)((uint32_t)difference * (uint32_t)difference);
    const uint32_t scaled = (uint32_t)th_requantize(square, p->out_multiplier, p->out_shift);
    return th_clamp((int32_t)(scaled + (uint32_t)p->out_zero), p->min, p->max);
}

TH_DEFINE_BINARY(th_squared_difference_s8, th_squared_difference_params, int8_t, th_squared_difference_value)
TH_DEFINE_BINARY(th_squared_difference_s16, th_squared_difference_params, int16_t, th_squared_difference_value)

#endif
