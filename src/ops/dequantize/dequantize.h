/* Integers and half floats to float32: scale * (x - zero point). */
#ifndef TH_DEQUANTIZE_H
#define TH_DEQUANTIZE_H

#include "th_elementwise.h"

typedef struct {
    int32_t n;
    float scale;
    int32_t zero;
} th_dequantize_params;

TH_INLINE float th_dequantize_value(const th_dequantize_params *p, int32_t x)
{
    return p->scale * (float)(x - p->zero);
}

/* The value of an IEEE 754 half-precision bit pattern; exact. */
TH_INLINE float th_half_value(const th_count_params *p, uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = ((uint32_t)half >> 10) & 31u;
    const uint32_t fraction = half & 1023u;
    float value;
    (void)p;
    if (exponent == 0) {
        value = (float)fraction * (1.0f / 16777216.0f);
        return sign ? -value : value;
    }
    const uint32_t bits = sign | (exponent == 31u ? 255u : exponent + 112u) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

TH_DEFINE_UNARY(th_dequantize_s8, th_dequantize_params, int8_t, float, th_dequantize_value)
TH_DEFINE_UNARY(th_dequantize_u8, th_dequantize_params, uint8_t, float, th_dequantize_value)
TH_DEFINE_UNARY(th_dequantize_s16, th_dequantize_params, int16_t, float, th_dequantize_value)
TH_DEFINE_UNARY(th_dequantize_f16, th_count_params, uint16_t, float, th_half_value)

#endif
