/*
 * Maximum pooling, float32.
 * Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_F32_H
#define TH_MAX_POOL2D_F32_H

#include <float.h>

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_f32_params th_max_pool2d_f32_params;
typedef float th_max_pool2d_f32_input;
typedef float th_max_pool2d_f32_value;
typedef float th_max_pool2d_f32_kept;

TH_INLINE float th_max_pool2d_f32_empty(void)
{
    return -FLT_MAX;
}

TH_INLINE float th_max_pool2d_f32_add(float value, float element)
{
    return element > value ? element : value;
}

TH_INLINE float th_max_pool2d_f32_of(const th_pool2d_f32_params *p, float value, int32_t count)
{
    (void)count;
    return th_clampf(value, p->min, p->max);
}

#define TH_TYPE th_max_pool2d_f32
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
