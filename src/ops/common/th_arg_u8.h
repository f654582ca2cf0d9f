/*
 * Index of the largest or smallest uint8 along an axis, the first of equal ones; see th_arg.h.
 */
#ifndef TH_ARG_U8_H
#define TH_ARG_U8_H

#include "th_arg.h"

TH_KERNEL void th_arg_u8(const th_arg_params *p, const uint8_t *input, void *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            uint8_t best = input[i];
            int32_t index = 0;
            for (int32_t k = 1; k < p->size; k++) {
                const uint8_t x = input[k * p->inner + i];
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
