/* A matrix [rows][unit] with rows replaced by updates [updates][unit], or combined with them, in order. */
#ifndef TH_SCATTER_H
#define TH_SCATTER_H

#include "th_base.h"

typedef struct {
    int32_t rows, unit, updates;
    int32_t reduction; /* 0: the update, 1: sum, 2: product, 3: smaller, 4: larger */
} th_scatter_params;

#define TH_SCATTER(suffix, type, sum, product)                                                                        \
    TH_INLINE type th_scatter_##suffix##_value(int32_t reduction, type x1, type x2)                                   \
    {                                                                                                                 \
        switch (reduction) {                                                                                          \
        case 1:                                                                                                       \
            return (type)(sum);                                                                                       \
        case 2:                                                                                                       \
            return (type)(product);                                                                                   \
        case 3:                                                                                                       \
            return x1 < x2 ? x1 : x2;                                                                                 \
        case 4:                                                                                                       \
            return x1 > x2 ? x1 : x2;                                                                                 \
        default:                                                                                                      \
            return x2;                                                                                                \
        }                                                                                                             \
    }                                                                                                                 \
    TH_KERNEL void th_scatter_##suffix(const th_scatter_params *p, const type *input, const int32_t *indices,         \
                                       const type *updates, type *output)                                             \
    {                                                                                                                 \
        memcpy(output, input, (size_t)(p->rows * p->unit) * sizeof(type));                                            \
        for (int32_t k = 0; k < p->updates; k++) {                                                                    \
            const int32_t row = indices[k];                                                                           \
            if (row >= 0 && row < p->rows) {                                                                          \
                type *to = output + row * p->unit;                                                                    \
                for (int32_t i = 0; i < p->unit; i++) {                                                               \
                    to[i] = th_scatter_##suffix##_value(p->reduction, to[i], updates[i]);                             \
                }                                                                                                     \
            }                                                                                                         \
            updates += p->unit;                                                                                       \
        }                                                                                                             \
    }

TH_SCATTER(f32, float, x1 + x2, x1 * x2)
TH_SCATTER(s32, int32_t, (uint32_t)x1 + (uint32_t)x2, (uint32_t)x1 * (uint32_t)x2)

#endif
