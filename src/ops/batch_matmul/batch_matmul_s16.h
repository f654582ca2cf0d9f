/*
 * Products of matrices, int16; bit-exact with the reference in batch_matmul.ts.
 * left [batch][rows][depth], right [batch][depth][columns] in any order that the steps state,
 * output [batch][rows][columns].
 */
#ifndef TH_BATCH_MATMUL_S16_H
#define TH_BATCH_MATMUL_S16_H

#include "batch_matmul_params.h"
#include "th_fixedpoint.h"

/* One product; returns the place after its output. */
TH_INLINE int16_t *th_batch_matmul_s16_one(const th_batch_matmul_params *p, const int16_t *left, const int16_t *right,
                                           int16_t *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t column = 0; column < p->columns; column++) {
            int64_t sum = 0;
            for (int32_t k = 0; k < p->depth; k++) {
                const int16_t l = left[row * p->left_row + k * p->left_depth];
                const int16_t r = right[k * p->right_depth + column * p->right_column];
                sum += (int32_t)l * r;
            }
            const int32_t scaled = th_requantize64(sum, p->multiplier, p->shift) + p->out_zero;
            *output++ = (int16_t)th_clamp(scaled, p->min, p->max);
        }
    }
    return output;
}

TH_KERNEL void th_batch_matmul_s16(const th_batch_matmul_params *p, const int16_t *left, const int16_t *right,
                                   int16_t *output)
{
    for (int32_t a = 0; a < p->batch[0]; a++) {
        for (int32_t b = 0; b < p->batch[1]; b++) {
            for (int32_t c = 0; c < p->batch[2]; c++) {
                const int32_t l = a * p->left_batch[0] + b * p->left_batch[1] + c * p->left_batch[2];
                const int32_t r = a * p->right_batch[0] + b * p->right_batch[1] + c * p->right_batch[2];
                output = th_batch_matmul_s16_one(p, left + l, right + r, output);
            }
        }
    }
}

#endif
