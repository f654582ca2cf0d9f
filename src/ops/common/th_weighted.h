/*
 * What the portable kernels of sums of products with weights share. Their loops are written once, in headers that are
 * included for every combination of element types with TH_TYPE set to its suffix (s8, s8_w4, s16, s16_b32, f32):
 * TH_NAME(th_sum) is then the type or function th_sum_s8, and so on.
 */
#ifndef TH_WEIGHTED_H
#define TH_WEIGHTED_H

#include "th_fixedpoint.h"

#define TH_JOINED(name, type) name##_##type
#define TH_EXPANDED(name, type) TH_JOINED(name, type)
#define TH_NAME(name) TH_EXPANDED(name, TH_TYPE)

/* Output channels that are computed at a time: sums and pointers of four fit the registers of a 32-bit core. */
#define TH_LANES 4

/* How integer sums become outputs; multipliers and shifts [channels], or [1] where step is 0. */
typedef struct {
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step;
    int32_t in_zero, out_zero; /* zero points */
    int32_t min, max;          /* of the quantized output */
} th_scale;

/* The initializer of a th_scale from a kernel's parameters. */
#define TH_SCALE(p, multipliers, shifts)                                                                               \
    {multipliers, shifts, (p)->multiplier_step, (p)->in_zero, (p)->out_zero, (p)->min, (p)->max}

/* The quantized output of a 32-bit sum. */
TH_INLINE int32_t th_scaled(const th_scale *s, int32_t sum, int32_t channel)
{
    const int32_t m = channel * s->step;
    return th_clamp(th_requantize(sum, s->multipliers[m], s->shifts[m]) + s->out_zero, s->min, s->max);
}

/* The quantized output of a 64-bit sum. */
TH_INLINE int32_t th_scaled64(const th_scale *s, int64_t sum, int32_t channel)
{
    const int32_t m = channel * s->step;
    return th_clamp(th_requantize64(sum, s->multipliers[m], s->shifts[m]) + s->out_zero, s->min, s->max);
}

#endif
