/*
 * Sum or mean over axes, int8; bit-exact with sumReduction in reduce-sum.ts.
 * input [outer][first][middle][second][inner], output [outer][middle][inner].
 */
#ifndef TH_REDUCE_SUM_S8_H
#define TH_REDUCE_SUM_S8_H

#include "th_reduce_sum.h"

TH_INLINE int8_t th_reduce_sum_s8_finish(const th_reduce_sum_params *p, int32_t sum)
{
    return (int8_t)th_reduce_sum_finish(p, sum);
}

TH_KERNEL void th_reduce_sum_s8(const th_reduce_sum_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < p->inner; i++) {
                int32_t value = 0;
                for (int32_t a = 0; a < p->first; a++) {
                    for (int32_t b = 0; b < p->second; b++) {
                        const int8_t x =
                            input[(((o * p->first + a) * p->middle + m) * p->second + b) * p->inner + i];
                        value += x;
                    }
                }
                *output++ = th_reduce_sum_s8_finish(p, value);
            }
        }
    }
}

TH_DEFINE_FOLD(th_reduce_sum_s8_fold, th_reduce_sum_params, int8_t, int32_t, 0, th_reduce_add, th_reduce_sum_s8_finish)

#endif
