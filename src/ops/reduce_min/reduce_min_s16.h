/*
 * Minimum over axes, int16.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MIN_S16_H
#define TH_REDUCE_MIN_S16_H

#include "th_reduce.h"

typedef th_reduce_params th_reduce_min_s16_params;
typedef int16_t th_reduce_min_s16_input;
typedef int16_t th_reduce_min_s16_value;

TH_INLINE int16_t th_reduce_min_s16_empty(void)
{
    return INT16_MAX;
}

TH_INLINE int16_t th_reduce_min_s16_add(int16_t value, int16_t element)
{
    return element < value ? element : value;
}

TH_INLINE int16_t th_reduce_min_s16_finish(const th_reduce_params *p, int16_t value)
{
    (void)p;
    return value;
}

#define TH_TYPE th_reduce_min_s16
#include "th_reduce_axes.h"
#undef TH_TYPE

#endif
