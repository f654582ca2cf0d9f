/*
 * Sum or mean over axes, float32.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_SUM_F32_H
#define TH_REDUCE_SUM_F32_H

#include "th_reduce.h"

typedef float th_reduce_sum_f32_input;
typedef float th_reduce_sum_f32_value;

TH_INLINE float th_reduce_sum_f32_empty(void)
{
    return 0.0f;
}

TH_INLINE float th_reduce_sum_f32_add(float sum, float element)
{
    return sum + element;
}

TH_INLINE float th_reduce_sum_f32_finish(const th_reduce_sum_f32_params *p, float sum)
{
    return sum / p->divisor;
}

#define TH_TYPE th_reduce_sum_f32
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
