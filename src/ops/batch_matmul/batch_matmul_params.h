#ifndef TH_BATCH_MATMUL_PARAMS_H
#define TH_BATCH_MATMUL_PARAMS_H

#include "th_base.h"

/* Sizes and steps in elements. */
typedef struct {
    int32_t batch[3];                  /* sizes of the axes before the matrices */
    int32_t left_batch[3], right_batch[3]; /* steps along them, 0 where repeated */
    int32_t rows, columns, depth;
    int32_t left_row, left_depth, right_depth, right_column; /* steps; transposition swaps them */
    int32_t left_zero, right_zero, out_zero; /* zero points */
    int32_t multiplier, shift;
    int32_t min, max; /* of the output's type */
} th_batch_matmul_params;

typedef struct {
    int32_t batch[3];                  /* sizes of the axes before the matrices */
    int32_t left_batch[3], right_batch[3]; /* steps along them, 0 where repeated */
    int32_t rows, columns, depth;
    int32_t left_row, left_depth, right_depth, right_column; /* steps; transposition swaps them */
} th_batch_matmul_f32_params;

#endif
