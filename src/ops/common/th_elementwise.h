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

/* Defines name(p, input, output), which computes output[i] = apply(p, input[i]) for p->n elements. */
#define TH_DEFINE_UNARY(name, params, in_type, out_type, apply)                                                       \
    TH_KERNEL void name(const params *p, const in_type *input, out_type *output)                                      \
    {                                                                                                                 \
        for (int32_t i = 0; i < p->n; i++) {                                                                          \
            output[i] = (out_type)apply(p, input[i]);                                                                 \
        }                                                                                                             \
    }

#endif
