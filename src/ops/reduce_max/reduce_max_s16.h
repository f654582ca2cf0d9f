/*
 * Maximum over axes, int16.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_MAX_S16_H
#define TH_REDUCE_MAX_S16_H

#include "th_reduce.h"

TH_INLINE int16_t th_larger_s16(int16_t value, int16_t x)
{
    return x > value ? x : value;
}

TH_INLINE int16_t th_reduce_max_s16_finish(const th_reduce_params *p, int16_t value)
{
    (void)p;
    return value;
}

TH_KERNEL void th_reduce_max_s16(const th_reduce_params *p, const int16_t *input, int16_t *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < p->inner; i++) {
                int16_t value = INT16_MIN;
                for (int32_t a = 0; a < p->first; a++) {
                    for (int32_t b = 0; b < p->second; b++) {
                        const int16_t x =
                            input[(((o * p->first + a) * p->middle + m) * p->second + b) * p->inner + i];
                        value = th_larger_s16(value, x);
                    }
                }
                *output++ = value;
            }
        }
    }
}

TH_DEFINE_FOLD(th_reduce_max_s16_fold, th_reduce_params, int16_t, int16_t, INT16_MIN, th_larger_s16, th_reduce_max_s16_finish)

#endif
