/*
 * int16 operators that scale and clamp: a multiplier for inputs from the zero point up and another below it, so that
 * RELU, LEAKY_RELU and ABS are one kernel; bit-exact with rescaleMap.
 */
#ifndef TH_RESCALE_S16_H
#define TH_RESCALE_S16_H

#include "th_elementwise.h"
#include "th_fixedpoint.h"

typedef struct {
    int32_t n;
    int32_t in_zero, out_zero;
    int32_t multiplier, shift;                   /* for x >= in_zero */
    int32_t negative_multiplier, negative_shift; /* for x < in_zero */
    int32_t min, max;
} th_rescale_params;

TH_INLINE int32_t th_rescale_value(const th_rescale_params *p, int32_t x)
{
    const int32_t centred = x - p->in_zero;
    const int32_t scaled = centred >= 0 ? th_requantize(centred, p->multiplier, p->shift)
                                        : th_requantize(centred, p->negative_multiplier, p->negative_shift);
    return th_clamp((int32_t)((uint32_t)scaled + (uint32_t)p->out_zero), p->min, p->max);
}

TH_DEFINE_UNARY(th_rescale_s16, th_rescale_params, int16_t, int16_t, th_rescale_value)

#endif
