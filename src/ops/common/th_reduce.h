/*
 * Parameters of reductions: input [outer][first][middle][second][inner], output [outer][middle][inner].
 * A fold is given [outer] rows one after another, each [first][middle][second][inner], and reduces them all to one
 * [middle][inner].
 */
#ifndef TH_REDUCE_H
#define TH_REDUCE_H

#include "th_base.h"
#include "th_name.h"

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

#endif
