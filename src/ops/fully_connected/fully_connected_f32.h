/*
 * Fully connected layer, float32.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL, output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_F32_H
#define TH_FULLY_CONNECTED_F32_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t row_c;  /* elements of an input row, for folds */
    float min, max; /* of the activation */
} th_fully_connected_f32_params;

/* The sum with the products of n inputs and weights. */
TH_INLINE float th_fully_connected_f32_add(float sum, const float *input, const float *weights, int32_t n)
{
    for (int32_t c = 0; c < n; c++) {
        sum += input[c] * weights[c];
    }
    return sum;
}

TH_KERNEL void th_fully_connected_f32(const th_fully_connected_f32_params *p, const float *input, const float *weights,
                                      const float *bias, float *output)
{
    const int32_t in_c = p->in_c;
    for (int32_t n = 0; n < p->batch; n++, input += in_c) {
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const float sum = th_fully_connected_f32_add(bias ? bias[oc] : 0.0f, input, weights + oc * in_c, in_c);
            *output++ = th_clampf(sum, p->min, p->max);
        }
    }
}

/*
 * Takes row y, in order, of the only input vector: row_c of its in_c elements. The last call writes the output.
 * scratch: sums [out_c], kept between calls.
 */
TH_KERNEL void th_fully_connected_f32_fold(const th_fully_connected_f32_params *p, int32_t y, const float *input,
                                           const float *weights, const float *bias, void *scratch, float *output)
{
    float *sums = (float *)scratch;
    const int32_t in_c = p->in_c;
    const int32_t row_c = p->row_c;
    const int32_t start = y * row_c;
    for (int32_t oc = 0; oc < p->out_c; oc++) {
        const float before = y > 0 ? sums[oc] : bias ? bias[oc] : 0.0f;
        const float sum = th_fully_connected_f32_add(before, input, weights + oc * in_c + start, row_c);
        if (start + row_c < in_c) {
            sums[oc] = sum;
        } else {
            output[oc] = th_clampf(sum, p->min, p->max);
        }
    }
}

#endif
