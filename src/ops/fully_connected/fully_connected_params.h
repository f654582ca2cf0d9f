#ifndef TH_FULLY_CONNECTED_PARAMS_H
#define TH_FULLY_CONNECTED_PARAMS_H

#include "th_base.h"

/* Sizes in elements. */
typedef struct {
    int32_t batch, in_c, out_c;
    int32_t row_c;                           /* elements of an input row, for folds */
    int32_t in_zero, weights_zero, out_zero; /* zero points; weights' and 16-bit ones are 0 but for int8 per tensor */
    int32_t min, max;                        /* of the quantized output */
    int32_t multiplier_step;                 /* 1: a multiplier per output channel, 0: one for all */
} th_fully_connected_params;

#endif
