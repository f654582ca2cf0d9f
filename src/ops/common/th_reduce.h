/*
 * Parameters of reductions: input [outer][first][middle][second][inner], output [outer][middle][inner].
 * A fold is given [outer] rows one after another, each [first][middle][second][inner], and reduces them all to one
 * [middle][inner].
 */
#ifndef TH_REDUCE_H
#define TH_REDUCE_H

#include "th_base.h"

typedef struct {
    int32_t outer, first, middle, second, inner;
} th_reduce_params;

typedef struct {
    int32_t outer, first, middle, second, inner;
    int32_t in_zero_sum, out_zero; /* the input's zero point times the elements of a sum; the output's zero point */
    int32_t multiplier, shift;     /* includes the division by the count for a mean */
    int32_t min, max;              /* of the output's type */
} th_reduce_sum_params;

typedef struct {
    int32_t outer, first, middle, second, inner;
    float divisor; /* 1 for a sum, the number of elements for a mean */
} th_reduce_sum_f32_params;

/*
 * Defines name(p, row, input, scratch, output), a fold: `scratch` holds [middle][inner] values of `value_type`, which
 * begin as `start`, become add(value, element) for every element and are written as finish(p, value) after the last row.
 * An output's elements are taken in the order in which the kernel of all rows takes them.
 */
#define TH_DEFINE_FOLD(name, params, type, value_type, start, add, finish)                                            \
    TH_KERNEL void name(const params *p, int32_t row, const type *input, void *scratch, type *output)                 \
    {                                                                                                                 \
        const int32_t first = p->first;                                                                               \
        const int32_t middle = p->middle;                                                                             \
        const int32_t second = p->second;                                                                             \
        const int32_t inner = p->inner;                                                                               \
        value_type *values = (value_type *)scratch;                                                                   \
        for (int32_t i = 0; row == 0 && i < middle * inner; i++) {                                                    \
            values[i] = start;                                                                                        \
        }                                                                                                             \
        for (int32_t a = 0; a < first; a++) {                                                                         \
            for (int32_t m = 0; m < middle; m++) {                                                                    \
                for (int32_t b = 0; b < second; b++) {                                                                \
                    for (int32_t i = 0; i < inner; i++) {                                                             \
                        value_type *value = values + m * inner + i;                                                   \
                        *value = add(*value, *input++);                                                               \
                    }                                                                                                 \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        for (int32_t i = 0; row == p->outer - 1 && i < middle * inner; i++) {                                         \
            output[i] = finish(p, values[i]);                                                                         \
        }                                                                                                             \
    }

#endif
