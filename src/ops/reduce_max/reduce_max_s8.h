/*
 * Maximum over axes, int8.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MAX_S8_H
#define TH_REDUCE_MAX_S8_H

#include "th_reduce.h"

TH_INLINE int8_t th_larger_s8(int8_t value, int8_t x)
{
    return x > value ? x : value;
}

TH_INLINE int8_t th_reduce_max_s8_finish(const th_reduce_params *p, int8_t value)
{
    (void)p;
    return value;
}

TH_KERNEL void th_reduce_max_s8(const th_reduce_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < p->inner; i++) {
                int8_t value = INT8_MIN;
                for (int32_t a = 0; a < p->first; a++) {
                    for (int32_t b = 0; b < p->second; b++) {
                        const int8_t x =
                            input[(((o * p->first + a) * p->middle + m) * p->second + b) * p->inner + i];
                        value = th_larger_s8(value, x);
                    }
                }
                *output++ = value;
            }
        }
    }
}

TH_DEFINE_FOLD(th_reduce_max_s8_fold, th_reduce_params, int8_t, int8_t, INT8_MIN, th_larger_s8, th_reduce_max_s8_finish)

#endif
