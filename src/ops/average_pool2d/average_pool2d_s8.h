/*
 * Average pooling, int8; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_S8_H
#define TH_AVERAGE_POOL2D_S8_H

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_params th_average_pool2d_s8_params;
typedef int8_t th_average_pool2d_s8_input;
typedef int32_t th_average_pool2d_s8_value;
typedef int32_t th_average_pool2d_s8_kept;

TH_INLINE int32_t th_average_pool2d_s8_empty(void)
{
    return 0;
}

TH_INLINE int32_t th_average_pool2d_s8_add(int32_t sum, int8_t element)
{
    return sum + element;
}

/* The average of `count` elements, halves rounded away from zero. */
TH_INLINE int8_t th_average_pool2d_s8_of(const th_pool2d_params *p, int32_t sum, int32_t count)
{
    const int32_t average = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
    return (int8_t)th_clamp(average, p->min, p->max);
}

#define TH_TYPE th_average_pool2d_s8
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
