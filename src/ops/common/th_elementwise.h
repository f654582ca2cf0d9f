/*
 * The loop of every operator that maps one element to one: TH_DEFINE_UNARY stamps it out around an inlined function,
 * so that no kernel repeats it. Elements are read before they are overwritten, in order: output may be input.
 */
#ifndef TH_ELEMENTWISE_H
#define TH_ELEMENTWISE_H

#include "th_base.h"

/* For kernels that need nothing but the number of elements. */
typedef struct {
    int32_t n;
} th_count_params;

/*
 * Defines name_row, a run of n elements, and name(p, input, output), which computes output[i] = apply(p, input[i]) for
 * p->n elements.
 */
#define TH_DEFINE_UNARY(name, params, in_type, out_type, apply)                                                       \
    TH_INLINE void name##_row(const params *p, const in_type *input, int32_t n, out_type *output)                     \
    {                                                                                                                 \
        for (int32_t i = 0; i < n; i++) {                                                                             \
            output[i] = (out_type)apply(p, input[i]);                                                                 \
        }                                                                                                             \
    }                                                                                                                 \
    TH_KERNEL void name(const params *p, const in_type *input, out_type *output)                                      \
    {                                                                                                                 \
        name##_row(p, input, p->n, output);                                                                           \
    }

#endif
