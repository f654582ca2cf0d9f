/*
 * Minimum over axes, int8.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MIN_S8_H
#define TH_REDUCE_MIN_S8_H

#include "th_reduce.h"

typedef th_reduce_params th_reduce_min_s8_params;
typedef int8_t th_reduce_min_s8_input;
typedef int8_t th_reduce_min_s8_value;

TH_INLINE int8_t th_reduce_min_s8_empty(void)
{
    return INT8_MAX;
}

TH_INLINE int8_t th_reduce_min_s8_add(int8_t value, int8_t element)
{
    return element < value ? element : value;
}

TH_INLINE int8_t th_reduce_min_s8_finish(const th_reduce_params *p, int8_t value)
{
    (void)p;
    return value;
}

#define TH_TYPE th_reduce_min_s8
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
