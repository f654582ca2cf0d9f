/*
 * Sum or mean over axes, int8; bit-exact with sumReduction in reduce-sum.ts.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_SUM_S8_H
#define TH_REDUCE_SUM_S8_H

#include "th_reduce_sum.h"

typedef th_reduce_sum_params th_reduce_sum_s8_params;
typedef int8_t th_reduce_sum_s8_input;
typedef int32_t th_reduce_sum_s8_value;

TH_INLINE int32_t th_reduce_sum_s8_empty(void)
{
    return 0;
}

TH_INLINE int32_t th_reduce_sum_s8_add(int32_t sum, int8_t element)
{
    return sum + element;
}

TH_INLINE int8_t th_reduce_sum_s8_finish(const th_reduce_sum_params *p, int32_t sum)
{
    return (int8_t)th_reduce_sum_finish(p, sum);
}

#define TH_TYPE th_reduce_sum_s8
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
