/*
 * Maximum pooling, int8; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S8_H
#define TH_MAX_POOL2D_S8_H

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_params th_max_pool2d_s8_params;
typedef int8_t th_max_pool2d_s8_input;
typedef int32_t th_max_pool2d_s8_value;
typedef int8_t th_max_pool2d_s8_kept;

TH_INLINE int32_t th_max_pool2d_s8_empty(void)
{
    return INT8_MIN;
}

TH_INLINE int32_t th_max_pool2d_s8_add(int32_t value, int8_t element)
{
    return element > value ? element : value;
}

TH_INLINE int8_t th_max_pool2d_s8_of(const th_pool2d_params *p, int32_t value, int32_t count)
{
    (void)count;
    return (int8_t)th_clamp(value, p->min, p->max);
}

#define TH_TYPE th_max_pool2d_s8
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
