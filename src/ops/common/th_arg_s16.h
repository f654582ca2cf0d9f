/*
 * Index of the largest or smallest int16 along an axis, the first of equal ones; see th_arg.h.
 */
#ifndef TH_ARG_S16_H
#define TH_ARG_S16_H

#include "th_arg.h"

TH_KERNEL void th_arg_s16(const th_arg_params *p, const int16_t *input, void *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int16_t best = input[i];
            int32_t index = 0;
            for (int32_t k = 1; k < p->size; k++) {
                const int16_t x = input[k * p->inner + i];
                if (p->least ? x < best : x > best) {
                    best = x;
                    index = k;
                }
            }
            th_arg_store(p, output, o * p->inner + i, index);
        }
        input += p->size * p->inner;
    }
}

#endif
