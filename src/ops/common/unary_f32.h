/* Float functions of one element. */
#ifndef TH_UNARY_F32_H
#define TH_UNARY_F32_H

#include <math.h>

#include "th_elementwise.h"

typedef struct {
    int32_t n;
    float min, max;
} th_clamp_f32_params;

typedef struct {
    int32_t n;
    float alpha;
} th_slope_f32_params;

#define TH_F32_FUNCTION(name, expression)                                                                             \
    TH_INLINE float th_##name##_f32_value(const th_count_params *p, float x)                                          \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return expression;                                                                                            \
    }                                                                                                                 \
    TH_DEFINE_UNARY(th_##name##_f32, th_count_params, float, float, th_##name##_f32_value)

TH_F32_FUNCTION(abs, fabsf(x))
TH_F32_FUNCTION(neg, -x)
TH_F32_FUNCTION(exp, expf(x))
TH_F32_FUNCTION(log, logf(x))
TH_F32_FUNCTION(sqrt, sqrtf(x))
TH_F32_FUNCTION(rsqrt, 1.0f / sqrtf(x))
TH_F32_FUNCTION(tanh, tanhf(x))
TH_F32_FUNCTION(logistic, 1.0f / (1.0f + expf(-x)))
TH_F32_FUNCTION(elu, x < 0.0f ? expm1f(x) : x)
TH_F32_FUNCTION(floor, floorf(x))
TH_F32_FUNCTION(ceil, ceilf(x))
TH_F32_FUNCTION(round, rintf(x))
TH_F32_FUNCTION(sign, (float)((x > 0.0f) - (x < 0.0f)))
TH_F32_FUNCTION(sin, sinf(x))
TH_F32_FUNCTION(cos, cosf(x))
TH_F32_FUNCTION(tan, tanf(x))
TH_F32_FUNCTION(asin, asinf(x))
TH_F32_FUNCTION(acos, acosf(x))
TH_F32_FUNCTION(atan, atanf(x))
TH_F32_FUNCTION(sinh, sinhf(x))
TH_F32_FUNCTION(cosh, coshf(x))
TH_F32_FUNCTION(asinh, asinhf(x))
TH_F32_FUNCTION(acosh, acoshf(x))
TH_F32_FUNCTION(atanh, atanhf(x))
TH_F32_FUNCTION(erf, erff(x))
TH_F32_FUNCTION(softplus, x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x)))
TH_F32_FUNCTION(gelu, 0.5f * x * (1.0f + erff(x * 0.70710678f)))
TH_F32_FUNCTION(gelu_tanh, 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x))))
TH_F32_FUNCTION(hard_swish, x * th_clampf(x + 3.0f, 0.0f, 6.0f) / 6.0f)

TH_INLINE float th_relu_f32_value(const th_clamp_f32_params *p, float x)
{
    return th_clampf(x, p->min, p->max);
}

TH_INLINE float th_leaky_relu_f32_value(const th_slope_f32_params *p, float x)
{
    return x > 0.0f ? x : x * p->alpha;
}

TH_DEFINE_UNARY(th_relu_f32, th_clamp_f32_params, float, float, th_relu_f32_value)
TH_DEFINE_UNARY(th_leaky_relu_f32, th_slope_f32_params, float, float, th_leaky_relu_f32_value)

#endif
