/*
 * Selects slices by index. Indices out of range, which TFLite rejects as it runs, are limited to the axis, so that no
 * input can make the kernel read elsewhere. Bit-exact with GATHER's reference.
 */
#ifndef TH_GATHER_H
#define TH_GATHER_H

#include "th_base.h"

typedef struct {
    int32_t batch, outer; /* outer: indices of the axes between the batch axes and the gathered one */
    int32_t size;         /* of the gathered axis */
    int32_t indices;      /* for each batch */
    int32_t unit;         /* bytes of a slice */
} th_gather_params;

#define TH_GATHER(name, type)                                                                                         \
    TH_KERNEL void name(const th_gather_params *p, const void *input, const type *indices, void *output)              \
    {                                                                                                                 \
        const uint8_t *from = (const uint8_t *)input;                                                                 \
        uint8_t *to = (uint8_t *)output;                                                                              \
        for (int32_t b = 0; b < p->batch; b++) {                                                                      \
            for (int32_t o = 0; o < p->outer; o++) {                                                                  \
                for (int32_t i = 0; i < p->indices; i++) {                                                            \
                    const type index = indices[i];                                                                    \
                    const int32_t at = index < 0 ? 0 : (index >= p->size ? p->size - 1 : (int32_t)index);             \
                    memcpy(to, from + at * p->unit, (uint32_t)p->unit);                                               \
                    to += p->unit;                                                                                    \
                }                                                                                                     \
                from += p->size * p->unit;                                                                            \
            }                                                                                                         \
            indices += p->indices;                                                                                    \
        }                                                                                                             \
    }

TH_GATHER(th_gather_i32, int32_t)
TH_GATHER(th_gather_i64, int64_t)

#endif
