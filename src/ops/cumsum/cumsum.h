/* Sums of all elements up to each along an axis: input and output [outer][size][inner]; output may be input. */
#ifndef TH_CUMSUM_H
#define TH_CUMSUM_H

#include "th_base.h"

typedef struct {
    int32_t outer, size, inner;
    int32_t exclusive; /* 1: an element is not part of its own sum */
    int32_t reverse;   /* 1: from the end */
} th_cumsum_params;

#define TH_CUMSUM(name, type, sum_type)                                                                               \
    TH_KERNEL void name(const th_cumsum_params *p, const type *input, type *output)                                   \
    {                                                                                                                 \
        for (int32_t o = 0; o < p->outer; o++) {                                                                      \
            for (int32_t i = 0; i < p->inner; i++) {                                                                  \
                sum_type sum = 0;                                                                                     \
                for (int32_t k = 0; k < p->size; k++) {                                                               \
                    const int32_t at = (p->reverse ? p->size - 1 - k : k) * p->inner + i;                             \
                    const sum_type next = sum + (sum_type)input[at];                                                  \
                    output[at] = (type)(p->exclusive ? sum : next);                                                   \
                    sum = next;                                                                                       \
                }                                                                                                     \
            }                                                                                                         \
            input += p->size * p->inner;                                                                              \
            output += p->size * p->inner;                                                                             \
        }                                                                                                             \
    }

TH_CUMSUM(th_cumsum_f32, float, float)
TH_CUMSUM(th_cumsum_s32, int32_t, uint32_t)

#endif
