/* Quantized multiplication, int8 and int16; bit-exact with MUL's reference. */
#ifndef TH_PRODUCT_INT_H
#define TH_PRODUCT_INT_H

#include "th_broadcast.h"
#include "th_fixedpoint.h"

typedef struct {
    th_broadcast b;
    int32_t zero1, zero2, out_zero; /* zero points */
    int32_t multiplier, shift;
    int32_t min, max;               /* of the quantized output */
} th_product_params;

TH_INLINE int32_t th_product_value(const th_product_params *p, int32_t x1, int32_t x2)
{
    const int32_t scaled = th_requantize((x1 - p->zero1) * (x2 - p->zero2), p->multiplier, p->shift);
    return th_clamp((int32_t)((uint32_t)scaled + (uint32_t)p->out_zero), p->min, p->max);
}

TH_DEFINE_BINARY(th_mul_s8, th_product_params, int8_t, th_product_value)
TH_DEFINE_BINARY(th_mul_s16, th_product_params, int16_t, th_product_value)

#endif
