/*
 * Elements of one tensor where a condition holds, else of another; all three broadcast. Types differ in width only.
 */
#ifndef TH_SELECT_V2_H
#define TH_SELECT_V2_H

#include "th_base.h"

typedef struct {
    int32_t size[6];
    int32_t step0[6], step1[6], step2[6]; /* elements of the condition and of both values */
} th_select_params;

/* Moves from a run of the innermost dimension to the next; returns 0 after the last. */
TH_INLINE int32_t th_select_next(const th_select_params *p, int32_t *index, int32_t *at)
{
    for (int32_t d = 4; d >= 0; d--) {
        at[0] += p->step0[d];
        at[1] += p->step1[d];
        at[2] += p->step2[d];
        if (++index[d] < p->size[d]) {
            return 1;
        }
        at[0] -= p->step0[d] * p->size[d];
        at[1] -= p->step1[d] * p->size[d];
        at[2] -= p->step2[d] * p->size[d];
        index[d] = 0;
    }
    return 0;
}

#define TH_SELECT(bits)                                                                                               \
    TH_KERNEL void th_select_##bits(const th_select_params *p, const uint8_t *condition, const void *input1,          \
                                    const void *input2, void *output)                                                 \
    {                                                                                                                 \
        const uint##bits##_t *values1 = (const uint##bits##_t *)input1;                                               \
        const uint##bits##_t *values2 = (const uint##bits##_t *)input2;                                               \
        uint##bits##_t *to = (uint##bits##_t *)output;                                                                \
        int32_t index[5] = {0, 0, 0, 0, 0};                                                                           \
        int32_t at[3] = {0, 0, 0};                                                                                    \
        do {                                                                                                          \
            for (int32_t i = 0; i < p->size[5]; i++) {                                                                \
                const uint##bits##_t x1 = values1[at[1] + i * p->step1[5]];                                           \
                const uint##bits##_t x2 = values2[at[2] + i * p->step2[5]];                                           \
                *to++ = condition[at[0] + i * p->step0[5]] ? x1 : x2;                                                 \
            }                                                                                                         \
        } while (th_select_next(p, index, at));                                                                       \
    }

TH_SELECT(8)
TH_SELECT(16)
TH_SELECT(32)

#endif
