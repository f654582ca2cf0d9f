/*
 * Operators of two inputs with numpy's broadcasting, up to six dimensions. Adjacent dimensions that broadcast alike are
 * merged at compile time, so equal shapes and a scalar side become a single run of the innermost loop.
 */
#ifndef TH_BROADCAST_H
#define TH_BROADCAST_H

#include "th_base.h"

/* Sizes of the output and steps through both inputs in elements, outermost dimension first; unused ones have size 1. */
typedef struct {
    int32_t size[6];
    int32_t step1[6], step2[6];
} th_broadcast;

typedef struct {
    int32_t index[5];
    int32_t at1, at2; /* elements */
} th_broadcast_place;

/* Moves to the next run of the innermost dimension; returns 0 after the last. */
TH_INLINE int32_t th_broadcast_next(const th_broadcast *b, th_broadcast_place *place)
{
    for (int32_t d = 4; d >= 0; d--) {
        place->at1 += b->step1[d];
        place->at2 += b->step2[d];
        if (++place->index[d] < b->size[d]) {
            return 1;
        }
        place->at1 -= b->step1[d] * b->size[d];
        place->at2 -= b->step2[d] * b->size[d];
        place->index[d] = 0;
    }
    return 0;
}

/* For operators that need nothing but the sizes. */
typedef struct {
    th_broadcast b;
} th_binary_params;

/*
 * Defines name_row, one run of n elements, and name(p, input1, input2, output), which computes
 * combine(p, x1, x2) for every element of the output. The params have a member `b`, a th_broadcast.
 */
#define TH_DEFINE_BINARY_TO(name, params, type, out_type, combine)                                                                 \
    TH_INLINE void name##_row(const params *p, const type *input1, const type *input2, int32_t n, out_type *output)       \
    {                                                                                                                 \
        const int32_t step1 = p->b.step1[5];                                                                          \
        const int32_t step2 = p->b.step2[5];                                                                          \
        for (int32_t i = 0; i < n; i++) {                                                                             \
            output[i] = (out_type)combine(p, *input1, *input2);                                                           \
            input1 += step1;                                                                                          \
            input2 += step2;                                                                                          \
        }                                                                                                             \
    }                                                                                                                 \
    TH_KERNEL void name(const params *p, const type *input1, const type *input2, out_type *output)                        \
    {                                                                                                                 \
        th_broadcast_place place = {{0, 0, 0, 0, 0}, 0, 0};                                                           \
        do {                                                                                                          \
            name##_row(p, input1 + place.at1, input2 + place.at2, p->b.size[5], output);                              \
            output += p->b.size[5];                                                                                   \
        } while (th_broadcast_next(&p->b, &place));                                                                   \
    }

/* The same for results of the elements' type. */
#define TH_DEFINE_BINARY(name, params, type, combine) TH_DEFINE_BINARY_TO(name, params, type, type, combine)

#endif
