/*
 * Softmax of float32 vectors. input and output [rows][depth]; they may be the same memory.
 */
#ifndef TH_SOFTMAX_F32_H
#define TH_SOFTMAX_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t rows, depth;
    float beta; /* factor of the input */
} th_softmax_f32_params;

TH_INLINE void th_softmax_f32_row(const th_softmax_f32_params *p, const float *input, float *output)
{
    float largest = input[0];
    float sum = 0.0f;
    for (int32_t c = 1; c < p->depth; c++) {
        largest = input[c] > largest ? input[c] : largest;
    }
    for (int32_t c = 0; c < p->depth; c++) {
        output[c] = expf((input[c] - largest) * p->beta);
        sum += output[c];
    }
    for (int32_t c = 0; c < p->depth; c++) {
        output[c] /= sum;
    }
}

TH_KERNEL void th_softmax_f32(const th_softmax_f32_params *p, const float *input, float *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        th_softmax_f32_row(p, input + row * p->depth, output + row * p->depth);
    }
}

#endif
