/*
 * Plain int32 arithmetic with an activation's limits; overflow wraps. Bit-exact with the references of ADD, SUB, MUL
 * and SQUARED_DIFFERENCE.
 */
#ifndef TH_ARITHMETIC_S32_H
#define TH_ARITHMETIC_S32_H

#include "th_broadcast.h"

typedef struct {
    th_broadcast b;
    int32_t min, max;
} th_arithmetic_s32_params;

TH_INLINE int32_t th_add_s32_value(const th_arithmetic_s32_params *p, int32_t x1, int32_t x2)
{
    return th_clamp((int32_t)((uint32_t)x1 + (uint32_t)x2), p->min, p->max);
}

TH_INLINE int32_t th_sub_s32_value(const th_arithmetic_s32_params *p, int32_t x1, int32_t x2)
{
    return th_clamp((int32_t)((uint32_t)x1 - (uint32_t)x2), p->min, p->max);
}

TH_INLINE int32_t th_mul_s32_value(const th_arithmetic_s32_params *p, int32_t x1, int32_t x2)
{
    return th_clamp((int32_t)((uint32_t)x1 * (uint32_t)x2), p->min, p->max);
}

TH_INLINE int32_t th_squared_difference_s32_value(const th_arithmetic_s32_params *p, int32_t x1, int32_t x2)
{
    const uint32_t difference = (uint32_t)x1 - (uint32_t)x2;
    return th_clamp((int32_t)(difference * difference), p->min, p->max);
}

TH_DEFINE_BINARY(th_add_s32, th_arithmetic_s32_params, int32_t, th_add_s32_value)
TH_DEFINE_BINARY(th_sub_s32, th_arithmetic_s32_params, int32_t, th_sub_s32_value)
TH_DEFINE_BINARY(th_mul_s32, th_arithmetic_s32_params, int32_t, th_mul_s32_value)
TH_DEFINE_BINARY(th_squared_difference_s32, th_arithmetic_s32_params, int32_t, th_squared_difference_s32_value)

#endif
