/* Quantizes floats: round(x / scale) + zero point, ties away from zero, clamped to the output's type; NaN to its minimum. */
#ifndef TH_QUANTIZE_F32_H
#define TH_QUANTIZE_F32_H

#include <math.h>

#include "th_elementwise.h"

typedef struct {
    int32_t n;
    float scale;
    int32_t zero, min, max;
} th_quantize_f32_params;

TH_INLINE int32_t th_quantize_f32_value(const th_quantize_f32_params *p, float x)
{
    const float rounded = roundf(x / p->scale);
    if (!(rounded > (float)(p->min - p->zero))) {
        return p->min;
    }
    if (rounded >= (float)(p->max - p->zero)) {
        return p->max;
    }
    return (int32_t)rounded + p->zero;
}

TH_DEFINE_UNARY(th_quantize_f32_s8, th_quantize_f32_params, float, int8_t, th_quantize_f32_value)
TH_DEFINE_UNARY(th_quantize_f32_u8, th_quantize_f32_params, float, uint8_t, th_quantize_f32_value)
TH_DEFINE_UNARY(th_quantize_f32_s16, th_quantize_f32_params, float, int16_t, th_quantize_f32_value)

#endif
