/*
 * Maximum over axes, float32.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MAX_F32_H
#define TH_REDUCE_MAX_F32_H

#include <float.h>

#include "th_reduce.h"

TH_INLINE float th_larger_f32(float value, float x)
{
    return x > value ? x : value;
}

TH_INLINE float th_reduce_max_f32_finish(const th_reduce_params *p, float value)
{
    (void)p;
    return value;
}

TH_KERNEL void th_reduce_max_f32(const th_reduce_params *p, const float *input, float *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < p->inner; i++) {
                float value = -FLT_MAX;
                for (int32_t a = 0; a < p->first; a++) {
                    for (int32_t b = 0; b < p->second; b++) {
                        const float x =
                            input[(((o * p->first + a) * p->middle + m) * p->second + b) * p->inner + i];
                        value = th_larger_f32(value, x);
                    }
                }
                *output++ = value;
            }
        }
    }
}

TH_DEFINE_FOLD(th_reduce_max_f32_fold, th_reduce_params, float, float, -FLT_MAX, th_larger_f32, th_reduce_max_f32_finish)

#endif
