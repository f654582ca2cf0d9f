/*
 * Maximum pooling, int16; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S16_H
#define TH_MAX_POOL2D_S16_H

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_params th_max_pool2d_s16_params;
typedef int16_t th_max_pool2d_s16_input;
typedef int32_t th_max_pool2d_s16_value;
typedef int16_t th_max_pool2d_s16_kept;

TH_INLINE int32_t th_max_pool2d_s16_empty(void)
{
    return INT16_MIN;
}

TH_INLINE int32_t th_max_pool2d_s16_add(int32_t value, int16_t element)
{
    return element > value ? element : value;
}

TH_INLINE int16_t th_max_pool2d_s16_of(const th_pool2d_params *p, int32_t value, int32_t count)
{
    (void)count;
    return (int16_t)th_clamp(value, p->min, p->max);
}

#define TH_TYPE th_max_pool2d_s16
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
