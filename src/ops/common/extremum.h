/* The smaller or larger of two elements. Quantized types are compared as they are: both sides have one scale. */
#ifndef TH_EXTREMUM_H
#define TH_EXTREMUM_H

#include "th_broadcast.h"

typedef struct {
    th_broadcast b;
} th_extremum_params;

#define TH_EXTREMUM(name, type, condition)                                                                            \
    TH_INLINE type name##_value(const th_extremum_params *p, type x1, type x2)                                        \
    {                                                                                                                 \
        (void)p;                                                                                                      \
        return condition ? x1 : x2;                                                                                   \
    }                                                                                                                 \
    TH_DEFINE_BINARY(name, th_extremum_params, type, name##_value)

TH_EXTREMUM(th_minimum_s8, int8_t, (x1 < x2))
TH_EXTREMUM(th_minimum_s16, int16_t, (x1 < x2))
TH_EXTREMUM(th_minimum_s32, int32_t, (x1 < x2))
TH_EXTREMUM(th_minimum_f32, float, (x1 < x2))
TH_EXTREMUM(th_maximum_s8, int8_t, (x1 > x2))
TH_EXTREMUM(th_maximum_s16, int16_t, (x1 > x2))
TH_EXTREMUM(th_maximum_s32, int32_t, (x1 > x2))
TH_EXTREMUM(th_maximum_f32, float, (x1 > x2))

#endif
