#ifndef TH_SOFTMAX_PARAMS_H
#define TH_SOFTMAX_PARAMS_H

#include "th_base.h"

/* The softmax of each of `rows` vectors of `depth` elements. */
typedef struct {
    int32_t rows, depth;
    int32_t multiplier, shift; /* of the difference to the largest element, to the exponential's input */
    int32_t diff_min;          /* differences below it count as minus infinity; unused for 16-bit input */
} th_softmax_params;

#endif
