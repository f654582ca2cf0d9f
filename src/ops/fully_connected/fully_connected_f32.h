/*
 * Fully connected layer, float32.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL,, output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_F32_H
#define TH_FULLY_CONNECTED_F32_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_c, out_c;
    float min, max; /* of the activation */
} th_fully_connected_f32_params;

/* The outputs of one input vector. */
TH_INLINE void th_fully_connected_f32_row(const th_fully_connected_f32_params *p, const float *input,
                                          const float *weights, const float *bias, float *output)
{
    for (int32_t oc = 0; oc < p->out_c; oc++) {
        float sum = bias ? bias[oc] : 0.0f;
        for (int32_t c = 0; c < p->in_c; c++) {
            sum += input[c] * weights[oc * p->in_c + c];
        }
        output[oc] = th_clampf(sum, p->min, p->max);
    }
}

TH_KERNEL void th_fully_connected_f32(const th_fully_connected_f32_params *p, const float *input,
                                      const float *weights, const float *bias, float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        th_fully_connected_f32_row(p, input, weights, bias, output);
        input += p->in_c;
        output += p->out_c;
    }
}

#endif
