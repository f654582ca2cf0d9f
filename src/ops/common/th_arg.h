/*
 * What the kernels of ARG_MAX and ARG_MIN share: input [outer][size][inner], output [outer][inner].
 */
#ifndef TH_ARG_H
#define TH_ARG_H

#include "th_base.h"

typedef struct {
    int32_t outer, size, inner;
    int32_t least; /* 1: the smallest, 0: the largest */
    int32_t wide;  /* 1: indices are int64_t, 0: int32_t */
} th_arg_params;

TH_INLINE void th_arg_store(const th_arg_params *p, void *output, int32_t i, int32_t index)
{
    if (p->wide) {
        ((int64_t *)output)[i] = index;
    } else {
        ((int32_t *)output)[i] = index;
    }
}

#endif
