/*
 * Conversions between element types. Integers wrap as in C; floats are truncated, saturated at the ends of the integer
 * type, and NaN becomes 0; everything but zero is true. Bit-exact with CAST's reference.
 */
#ifndef TH_CAST_H
#define TH_CAST_H

#include "th_elementwise.h"

/* Limits are powers of two, which floats hold exactly: [low, high). */
TH_INLINE int64_t th_cast_truncate(float x, float low, float high, int64_t min, int64_t max)
{
    if (!(x > low)) {
        return x <= low ? min : 0;
    }
    return x < high ? (int64_t)x : max;
}

#define TH_CAST_INT(from, in_type, to, out_type)                                                                      \
    TH_INLINE out_type th_cast_##from##_##to##_value(const th_count_params *p, in_type x)                             \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return (out_type)x;                                                                                           \
    }                                                                                                                 \
    TH_DEFINE_UNARY(th_cast_##from##_##to, th_count_params, in_type, out_type, th_cast_##from##_##to##_value)

#define TH_CAST_FLOAT(to, out_type, low, high, min, max)                                                              \
    TH_INLINE out_type th_cast_f32_##to##_value(const th_count_params *p, float x)                                    \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return (out_type)th_cast_truncate(x, low, high, min, max);                                                    \
    }                                                                                                                 \
    TH_DEFINE_UNARY(th_cast_f32_##to, th_count_params, float, out_type, th_cast_f32_##to##_value)

#define TH_CAST_BOOL(from, in_type)                                                                                   \
    TH_INLINE uint8_t th_cast_##from##_b8_value(const th_count_params *p, in_type x)                                  \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return x != 0;                                                                                                \
    }                                                                                                                 \
    TH_DEFINE_UNARY(th_cast_##from##_b8, th_count_params, in_type, uint8_t, th_cast_##from##_b8_value)

#define TH_CAST_FROM(from, in_type)                                                                                   \
    TH_CAST_INT(from, in_type, f32, float)                                                                            \
    TH_CAST_INT(from, in_type, s8, int8_t)                                                                            \
    TH_CAST_INT(from, in_type, u8, uint8_t)                                                                           \
    TH_CAST_INT(from, in_type, s16, int16_t)                                                                          \
    TH_CAST_INT(from, in_type, s32, int32_t)                                                                          \
    TH_CAST_INT(from, in_type, s64, int64_t)                                                                          \
    TH_CAST_BOOL(from, in_type)

TH_CAST_FROM(s8, int8_t)
TH_CAST_FROM(u8, uint8_t)
TH_CAST_FROM(s16, int16_t)
TH_CAST_FROM(s32, int32_t)
TH_CAST_FROM(s64, int64_t)

TH_CAST_INT(f32, float, f32, float)
TH_CAST_FLOAT(s8, int8_t, -128.0f, 128.0f, -128, 127)
TH_CAST_FLOAT(u8, uint8_t, 0.0f, 256.0f, 0, 255)
TH_CAST_FLOAT(s16, int16_t, -32768.0f, 32768.0f, -32768, 32767)
TH_CAST_FLOAT(s32, int32_t, -2147483648.0f, 2147483648.0f, INT32_MIN, INT32_MAX)
TH_CAST_FLOAT(s64, int64_t, -9223372036854775808.0f, 9223372036854775808.0f, INT64_MIN, INT64_MAX)
TH_CAST_BOOL(f32, float)

#endif
