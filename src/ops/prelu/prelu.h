/* x, or alpha x below zero, alpha broadcast; bit-exact with PRELU's reference for int8. */
#ifndef TH_PRELU_H
#define TH_PRELU_H

#include "th_broadcast.h"
#include "th_fixedpoint.h"

typedef struct {
    th_broadcast b;
    int32_t zero, alpha_zero, out_zero;          /* zero points */
    int32_t multiplier, shift;                   /* for x >= zero */
    int32_t negative_multiplier, negative_shift; /* for (x - zero) * (alpha - alpha_zero) below */
} th_prelu_params;

typedef struct {
    th_broadcast b;
} th_prelu_f32_params;

TH_INLINE int32_t th_prelu_value(const th_prelu_params *p, int32_t x, int32_t alpha)
{
    const int32_t centred = x - p->zero;
    const int32_t scaled =
        centred >= 0 ? th_requantize(centred, p->multiplier, p->shift)
                     : th_requantize(centred * (alpha - p->alpha_zero), p->negative_multiplier, p->negative_shift);
    return th_clamp((int32_t)((uint32_t)scaled + (uint32_t)p->out_zero), -128, 127);
}

TH_INLINE float th_prelu_f32_value(const th_prelu_f32_params *p, float x, float alpha)
{
    (void)p;
    return x >= 0.0f ? x : x * alpha;
}

TH_DEFINE_BINARY(th_prelu_s8, th_prelu_params, int8_t, th_prelu_value)
TH_DEFINE_BINARY(th_prelu_f32, th_prelu_f32_params, float, th_prelu_f32_value)

#endif
