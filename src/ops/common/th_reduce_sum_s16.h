/*
 * Sum or mean over axes, int16; bit-exact with sumReduction in reduce-sum.ts.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_SUM_S16_H
#define TH_REDUCE_SUM_S16_H

#include "th_reduce_sum.h"

typedef th_reduce_sum_params th_reduce_sum_s16_params;
typedef int16_t th_reduce_sum_s16_input;
typedef int32_t th_reduce_sum_s16_value;

TH_INLINE int32_t th_reduce_sum_s16_empty(void)
{
    return 0;
}

TH_INLINE int32_t th_reduce_sum_s16_add(int32_t sum, int16_t element)
{
    return sum + element;
}

TH_INLINE int16_t th_reduce_sum_s16_finish(const th_reduce_sum_params *p, int32_t sum)
{
    return (int16_t)th_reduce_sum_finish(p, sum);
}

#define TH_TYPE th_reduce_sum_s16
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
