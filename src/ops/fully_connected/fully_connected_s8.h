/*
 * Fully connected layer, int8 activations and weights, int32 accumulator;
 * bit-exact with fullyConnectedReference.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_S8_H
#define TH_FULLY_CONNECTED_S8_H

#include "fully_connected_params.h"
#include "th_fixedpoint.h"

/* The outputs of one input vector. */
TH_INLINE void th_fully_connected_s8_row(const th_fully_connected_params *p, const int8_t *input,
                                         const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                         const int8_t *shifts, int8_t *output)
{
    const int32_t in_c = p->in_c;
    const int32_t in_zero = p->in_zero;
    const int32_t weights_zero = p->weights_zero;
    for (int32_t oc = 0; oc < p->out_c; oc++, weights += in_c) {
        int32_t sum = bias ? bias[oc] : 0;
        for (int32_t c = 0; c < in_c; c++) {
            sum += (input[c] - in_zero) * (weights[c] - weights_zero);
        }
        const int32_t m = oc * p->multiplier_step;
        const int32_t value = th_requantize(sum, multipliers[m], shifts[m]) + p->out_zero;
        output[oc] = (int8_t)th_clamp(value, p->min, p->max);
    }
}

TH_KERNEL void th_fully_connected_s8(const th_fully_connected_params *p, const int8_t *input, const int8_t *weights,
                                     const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                     int8_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        th_fully_connected_s8_row(p, input, weights, bias, multipliers, shifts, output);
        input += p->in_c;
        output += p->out_c;
    }
}

#endif
