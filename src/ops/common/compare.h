/* Comparisons of two elements, and logic of two bools (bytes of 0 or 1); results are bools. */
#ifndef TH_COMPARE_H
#define TH_COMPARE_H

#include "th_broadcast.h"

#define TH_COMPARISON(name, type, condition)                                                                          \
    TH_INLINE uint8_t name##_value(const th_binary_params *p, type x1, type x2)                                       \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return condition ? 1 : 0;                                                                                     \
    }                                                                                                                 \
    TH_DEFINE_BINARY_TO(name, th_binary_params, type, uint8_t, name##_value)

TH_COMPARISON(th_equal_f32, float, (x1 == x2))
TH_COMPARISON(th_equal_s32, int32_t, (x1 == x2))
TH_COMPARISON(th_equal_s8, int8_t, (x1 == x2))
TH_COMPARISON(th_equal_b8, uint8_t, (x1 == x2))
TH_COMPARISON(th_not_equal_f32, float, (x1 != x2))
TH_COMPARISON(th_not_equal_s32, int32_t, (x1 != x2))
TH_COMPARISON(th_not_equal_s8, int8_t, (x1 != x2))
TH_COMPARISON(th_not_equal_b8, uint8_t, (x1 != x2))
TH_COMPARISON(th_greater_f32, float, (x1 > x2))
TH_COMPARISON(th_greater_s32, int32_t, (x1 > x2))
TH_COMPARISON(th_greater_s8, int8_t, (x1 > x2))
TH_COMPARISON(th_greater_equal_f32, float, (x1 >= x2))
TH_COMPARISON(th_greater_equal_s32, int32_t, (x1 >= x2))
TH_COMPARISON(th_greater_equal_s8, int8_t, (x1 >= x2))
TH_COMPARISON(th_less_f32, float, (x1 < x2))
TH_COMPARISON(th_less_s32, int32_t, (x1 < x2))
TH_COMPARISON(th_less_s8, int8_t, (x1 < x2))
TH_COMPARISON(th_less_equal_f32, float, (x1 <= x2))
TH_COMPARISON(th_less_equal_s32, int32_t, (x1 <= x2))
TH_COMPARISON(th_less_equal_s8, int8_t, (x1 <= x2))
TH_COMPARISON(th_logical_and_b8, uint8_t, (x1 && x2))
TH_COMPARISON(th_logical_or_b8, uint8_t, (x1 || x2))
TH_COMPARISON(th_logical_xor_b8, uint8_t, (x1 != x2))

#endif
