/* Functions of two plain numbers that have no quantized form. */
#ifndef TH_PLAIN_BINARY_H
#define TH_PLAIN_BINARY_H

#include <math.h>

#include "th_broadcast.h"

#define TH_PLAIN_BINARY(name, type, expression)                                                                       \
    TH_INLINE type name##_value(const th_binary_params *p, type x1, type x2)                                          \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return expression;                                                                                            \
    }                                                                                                                 \
    TH_DEFINE_BINARY(name, th_binary_params, type, name##_value)

/* x1 to a power by squaring, modulo 2^32; negative powers of anything but 1 and -1 truncate to 0. */
TH_INLINE int32_t th_power_s32(int32_t x1, int32_t x2)
{
    uint32_t result = 1;
    uint32_t square = (uint32_t)x1;
    if (x2 < 0) {
        return x1 == 1 || (x1 == -1 && (x2 & 1) == 0) ? 1 : x1 == -1 ? -1 : 0;
    }
    for (uint32_t n = (uint32_t)x2; n != 0; n >>= 1) {
        if (n & 1) {
            result *= square;
        }
        square *= square;
    }
    return (int32_t)result;
}

/* The remainder with the dividend's sign; 0 where the divisor is 0, and for the one quotient that overflows. */
TH_INLINE int32_t th_remainder_s32(int32_t x1, int32_t x2)
{
    return x2 == 0 || x2 == -1 ? 0 : x1 % x2;
}

/* The remainder with the divisor's sign. */
TH_INLINE int32_t th_modulo_s32(int32_t x1, int32_t x2)
{
    const int32_t rest = th_remainder_s32(x1, x2);
    return rest != 0 && (rest < 0) != (x2 < 0) ? rest + x2 : rest;
}

TH_INLINE float th_modulo_f32(float x1, float x2)
{
    const float rest = fmodf(x1, x2);
    return rest != 0.0f && (rest < 0.0f) != (x2 < 0.0f) ? rest + x2 : rest;
}

/* Truncated; 0 where the divisor is 0, and modulo 2^32. */
TH_INLINE int32_t th_quotient_s32(int32_t x1, int32_t x2)
{
    return x2 == 0 ? 0 : x2 == -1 ? (int32_t)(0u - (uint32_t)x1) : x1 / x2;
}

TH_PLAIN_BINARY(th_pow_f32, float, powf(x1, x2))
TH_PLAIN_BINARY(th_pow_s32, int32_t, th_power_s32(x1, x2))
TH_PLAIN_BINARY(th_fmod_f32, float, fmodf(x1, x2))
TH_PLAIN_BINARY(th_fmod_s32, int32_t, th_remainder_s32(x1, x2))
TH_PLAIN_BINARY(th_floor_mod_f32, float, th_modulo_f32(x1, x2))
TH_PLAIN_BINARY(th_floor_mod_s32, int32_t, th_modulo_s32(x1, x2))
TH_PLAIN_BINARY(th_div_s32, int32_t, th_quotient_s32(x1, x2))

#endif
