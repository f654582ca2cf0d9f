/*
 * Index of the largest or smallest float along an axis, the first of equal ones; see th_arg.h.
 */
#ifndef TH_ARG_F32_H
#define TH_ARG_F32_H

#include "th_arg.h"

TH_KERNEL void th_arg_f32(const th_arg_params *p, const float *input, void *output)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            float best = input[i];
            int32_t index = 0;
            for (int32_t k = 1; k < p->size; k++) {
                const float x = input[k * p->inner + i];
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
