/*
 * Sum or mean over axes, float32.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_SUM_F32_H
#define TH_REDUCE_SUM_F32_H

#include "th_reduce.h"

TH_INLINE float th_reduce_add_f32(float sum, float x)
{
    return sum + x;
}

TH_INLINE float th_reduce_sum_f32_finish(const th_reduce_sum_f32_params *p, float sum)
{
    return sum / p->divisor;
}

TH_KERNEL void th_reduce_sum_f32(const th_reduce_sum_f32_params *p, const float *input, float *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < p->inner; i++) {
                float value = 0.0f;
                for (int32_t a = 0; a < p->first; a++) {
                    for (int32_t b = 0; b < p->second; b++) {
                        const float x =
                            input[(((o * p->first + a) * p->middle + m) * p->second + b) * p->inner + i];
                        value += x;
                    }
                }
                *output++ = th_reduce_sum_f32_finish(p, value);
            }
        }
    }
}

TH_DEFINE_FOLD(th_reduce_sum_f32_fold, th_reduce_sum_f32_params, float, float, 0.0f, th_reduce_add_f32,
               th_reduce_sum_f32_finish)

#endif
