/*
 * Products of matrices, float32.
 * left [batch][rows][depth], right [batch][depth][columns] in any order that the steps state,
 * output [batch][rows][columns].
 */
#ifndef TH_BATCH_MATMUL_F32_H
#define TH_BATCH_MATMUL_F32_H

#include "batch_matmul_params.h"

/* One product; returns the place after its output. */
TH_INLINE float *th_batch_matmul_f32_one(const th_batch_matmul_f32_params *p, const float *left, const float *right,
                                         float *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t column = 0; column < p->columns; column++) {
            float sum = 0;
            for (int32_t k = 0; k < p->depth; k++) {
                const float l = left[row * p->left_row + k * p->left_depth];
                const float r = right[k * p->right_depth + column * p->right_column];
                sum += l * r;
            }
            *output++ = sum;
        }
    }
    return output;
}

TH_KERNEL void th_batch_matmul_f32(const th_batch_matmul_f32_params *p, const float *left, const float *right,
                                   float *output)
{
    for (int32_t a = 0; a < p->batch[0]; a++) {
        for (int32_t b = 0; b < p->batch[1]; b++) {
            for (int32_t c = 0; c < p->batch[2]; c++) {
                const int32_t l = a * p->left_batch[0] + b * p->left_batch[1] + c * p->left_batch[2];
                const int32_t r = a * p->right_batch[0] + b * p->right_batch[1] + c * p->right_batch[2];
                output = th_batch_matmul_f32_one(p, left + l, right + r, output);
            }
        }
    }
}

#endif
