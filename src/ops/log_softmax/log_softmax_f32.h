/*
 * Logarithm of the softmax of float32 vectors. input and output [rows][depth]; they may be the same memory.
 */
#ifndef TH_LOG_SOFTMAX_F32_H
#define TH_LOG_SOFTMAX_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t rows, depth;
} th_log_softmax_f32_params;

TH_KERNEL void th_log_softmax_f32(const th_log_softmax_f32_params *p, const float *input, float *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        float largest = input[0];
        float sum = 0.0f;
        for (int32_t c = 1; c < p->depth; c++) {
            largest = input[c] > largest ? input[c] : largest;
        }
        for (int32_t c = 0; c < p->depth; c++) {
            sum += expf(input[c] - largest);
        }
        const float log_sum = logf(sum);
        for (int32_t c = 0; c < p->depth; c++) {
            output[c] = input[c] - largest - log_sum;
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
