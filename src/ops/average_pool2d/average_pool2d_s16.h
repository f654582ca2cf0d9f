/*
 * Average pooling, int16; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_S16_H
#define TH_AVERAGE_POOL2D_S16_H

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_params th_average_pool2d_s16_params;
typedef int16_t th_average_pool2d_s16_input;
typedef int32_t th_average_pool2d_s16_value;
typedef int32_t th_average_pool2d_s16_kept;

TH_INLINE int32_t th_average_pool2d_s16_empty(void)
{
    return 0;
}

TH_INLINE int32_t th_average_pool2d_s16_add(int32_t sum, int16_t element)
{
    return sum + element;
}

/* The average of `count` elements, halves rounded away from zero. */
TH_INLINE int16_t th_average_pool2d_s16_of(const th_pool2d_params *p, int32_t sum, int32_t count)
{
    const int32_t average = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
    return (int16_t)th_clamp(average, p->min, p->max);
}

#define TH_TYPE th_average_pool2d_s16
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
