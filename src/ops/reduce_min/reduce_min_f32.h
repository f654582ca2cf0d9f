/*
 * Minimum over axes, float32.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MIN_F32_H
#define TH_REDUCE_MIN_F32_H

#include <float.h>

#include "th_reduce.h"

typedef th_reduce_params th_reduce_min_f32_params;
typedef float th_reduce_min_f32_input;
typedef float th_reduce_min_f32_value;

TH_INLINE float th_reduce_min_f32_empty(void)
{
    return FLT_MAX;
}

TH_INLINE float th_reduce_min_f32_add(float value, float element)
{
    return element < value ? element : value;
}

TH_INLINE float th_reduce_min_f32_finish(const th_reduce_params *p, float value)
{
    (void)p;
    return value;
}

#define TH_TYPE th_reduce_min_f32
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
