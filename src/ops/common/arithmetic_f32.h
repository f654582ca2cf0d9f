/* Float arithmetic with an activation's limits: ADD, SUB, MUL, DIV and SQUARED_DIFFERENCE. */
#ifndef TH_ARITHMETIC_F32_H
#define TH_ARITHMETIC_F32_H

#include "th_broadcast.h"

typedef struct {
    th_broadcast b;
    float min, max;
} th_arithmetic_f32_params;

TH_INLINE float th_add_f32_value(const th_arithmetic_f32_params *p, float x1, float x2)
{
    return th_clampf(x1 + x2, p->min, p->max);
}

TH_INLINE float th_sub_f32_value(const th_arithmetic_f32_params *p, float x1, float x2)
{
    return th_clampf(x1 - x2, p->min, p->max);
}

TH_INLINE float th_mul_f32_value(const th_arithmetic_f32_params *p, float x1, float x2)
{
    return th_clampf(x1 * x2, p->min, p->max);
}

TH_INLINE float th_div_f32_value(const th_arithmetic_f32_params *p, float x1, float x2)
{
    return th_clampf(x1 / x2, p->min, p->max);
}

TH_INLINE float th_squared_difference_f32_value(const th_arithmetic_f32_params *p, float x1, float x2)
{
    return th_clampf((x1 - x2) * (x1 - x2), p->min, p->max);
}

TH_DEFINE_BINARY(th_add_f32, th_arithmetic_f32_params, float, th_add_f32_value)
TH_DEFINE_BINARY(th_sub_f32, th_arithmetic_f32_params, float, th_sub_f32_value)
TH_DEFINE_BINARY(th_mul_f32, th_arithmetic_f32_params, float, th_mul_f32_value)
TH_DEFINE_BINARY(th_div_f32, th_arithmetic_f32_params, float, th_div_f32_value)
TH_DEFINE_BINARY(th_squared_difference_f32, th_arithmetic_f32_params, float, th_squared_difference_f32_value)

#endif
