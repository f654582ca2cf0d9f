/* Changes scale, zero point and width of integers; bit-exact with quantizeReference. Values are clamped to the output. */
#ifndef TH_QUANTIZE_INT_H
#define TH_QUANTIZE_INT_H

#include "th_elementwise.h"
#include "th_fixedpoint.h"

typedef struct {
    int32_t n;
    int32_t in_zero, out_zero;
    int32_t multiplier, shift;
    int32_t min, max;
} th_requantize_params;

TH_INLINE int32_t th_requantize_value(const th_requantize_params *p, int32_t x)
{
    const int32_t centred = (int32_t)((uint32_t)x - (uint32_t)p->in_zero);
    const uint32_t scaled = (uint32_t)th_requantize(centred, p->multiplier, p->shift);
    return th_clamp((int32_t)(scaled + (uint32_t)p->out_zero), p->min, p->max);
}

TH_DEFINE_UNARY(th_requantize_s8_s16, th_requantize_params, int8_t, int16_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s8_s32, th_requantize_params, int8_t, int32_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s16_s8, th_requantize_params, int16_t, int8_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s16_s16, th_requantize_params, int16_t, int16_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s16_s32, th_requantize_params, int16_t, int32_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s32_s8, th_requantize_params, int32_t, int8_t, th_requantize_value)
TH_DEFINE_UNARY(th_requantize_s32_s16, th_requantize_params, int32_t, int16_t, th_requantize_value)

#endif
