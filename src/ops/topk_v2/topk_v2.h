/*
 * The k largest of each vector of `size` elements, largest first, of equal ones the first; and their indices.
 * input [outer][size], values and indices [outer][k].
 */
#ifndef TH_TOPK_V2_H
#define TH_TOPK_V2_H

#include "th_base.h"

typedef struct {
    int32_t outer, size, k;
} th_topk_params;

/* The result is a sorted list, into which elements are inserted one after another. */
#define TH_TOPK(name, type)                                                                                           \
    TH_KERNEL void name(const th_topk_params *p, const type *input, type *values, int32_t *indices)                   \
    {                                                                                                                 \
        for (int32_t o = 0; o < p->outer; o++) {                                                                      \
            int32_t count = 0;                                                                                        \
            for (int32_t i = 0; i < p->size; i++) {                                                                   \
                int32_t at = 0;                                                                                       \
                if (count == p->k && !(input[i] > values[count - 1])) {                                               \
                    continue;                                                                                         \
                }                                                                                                     \
                at = count < p->k ? count++ : count - 1;                                                              \
                for (; at > 0 && input[i] > values[at - 1]; at--) {                                                   \
                    values[at] = values[at - 1];                                                                      \
                    indices[at] = indices[at - 1];                                                                    \
                }                                                                                                     \
                values[at] = input[i];                                                                                \
                indices[at] = i;                                                                                      \
            }                                                                                                         \
            input += p->size;                                                                                         \
            values += p->k;                                                                                           \
            indices += p->k;                                                                                          \
        }                                                                                                             \
    }

TH_TOPK(th_topk_f32, float)
TH_TOPK(th_topk_s8, int8_t)
TH_TOPK(th_topk_s32, int32_t)

#endif
