/*
 * Average pooling, float32.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_F32_H
#define TH_AVERAGE_POOL2D_F32_H

#include "th_name.h"
#include "th_pool2d.h"
#include "th_rows.h"

typedef th_pool2d_f32_params th_average_pool2d_f32_params;
typedef float th_average_pool2d_f32_input;
typedef float th_average_pool2d_f32_value;
typedef float th_average_pool2d_f32_kept;

TH_INLINE float th_average_pool2d_f32_empty(void)
{
    return 0.0f;
}

TH_INLINE float th_average_pool2d_f32_add(float sum, float element)
{
    return sum + element;
}

TH_INLINE float th_average_pool2d_f32_of(const th_pool2d_f32_params *p, float sum, int32_t count)
{
    return th_clampf(sum / (float)count, p->min, p->max);
}

#define TH_TYPE th_average_pool2d_f32
#include "th_pool2d_rows.h"
#undef TH_TYPE

#endif
