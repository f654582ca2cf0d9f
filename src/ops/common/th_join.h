/*
 * Several tensors as slices of one along an axis: th_join puts them together, th_part takes them apart. A slice's run
 * is what it holds of one index of the axes before; `outer` such indices follow each other. Both are macros because C99
 * has no other list of pointers as an argument.
 */
#ifndef TH_JOIN_H
#define TH_JOIN_H

#include "th_base.h"

typedef struct {
    int32_t outer;
    int32_t count; /* slices */
} th_join_params;

/* th_join(params, output, runs, input 0, input 1, ...): runs holds the bytes of each slice's run. */
#define th_join(p, output, runs, ...) th_join_all((p), (output), (runs), (const void *const[]){__VA_ARGS__})

/* th_part(params, input, runs, output 0, output 1, ...). */
#define th_part(p, input, runs, ...) th_part_all((p), (input), (runs), (void *const[]){__VA_ARGS__})

TH_KERNEL void th_join_all(const th_join_params *p, void *output, const int32_t *runs, const void *const *inputs)
{
    uint8_t *to = (uint8_t *)output;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t k = 0; k < p->count; k++) {
            memcpy(to, (const uint8_t *)inputs[k] + i * runs[k], (uint32_t)runs[k]);
            to += runs[k];
        }
    }
}

TH_KERNEL void th_part_all(const th_join_params *p, const void *input, const int32_t *runs, void *const *outputs)
{
    const uint8_t *from = (const uint8_t *)input;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t k = 0; k < p->count; k++) {
            memcpy((uint8_t *)outputs[k] + i * runs[k], from, (uint32_t)runs[k]);
            from += runs[k];
        }
    }
}

#endif
