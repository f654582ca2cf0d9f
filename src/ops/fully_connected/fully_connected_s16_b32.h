/*
 * Fully connected layer, int16 activations, int8 weights, int32 bias and accumulator; bit-exact with
 * fullyConnectedReference.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_S16_B32_H
#define TH_FULLY_CONNECTED_S16_B32_H

#include "fully_connected_params.h"
#include "th_fixedpoint.h"

/* The sum with the products of n inputs and weights. */
TH_INLINE int32_t th_fully_connected_s16_b32_add(int32_t sum, const int16_t *input, const int8_t *weights, int32_t n)
{
    for (int32_t c = 0; c < n; c++) {
        sum += input[c] * weights[c];
    }
    return sum;
}

TH_INLINE int16_t th_fully_connected_s16_b32_of(const th_fully_connected_params *p, int32_t sum, int32_t multiplier,
                                                int32_t shift)
{
    const int32_t value = th_requantize(sum, multiplier, shift) + p->out_zero;
    return (int16_t)th_clamp(value, p->min, p->max);
}

TH_KERNEL void th_fully_connected_s16_b32(const th_fully_connected_params *p, const int16_t *input,
                                          const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                          const int8_t *shifts, int16_t *output)
{
    const int32_t in_c = p->in_c;
    for (int32_t n = 0; n < p->batch; n++, input += in_c) {
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const int32_t sum = th_fully_connected_s16_b32_add(bias ? bias[oc] : 0, input, weights + oc * in_c, in_c);
            const int32_t m = oc * p->multiplier_step;
            *output++ = th_fully_connected_s16_b32_of(p, sum, multipliers[m], shifts[m]);
        }
    }
}

/*
 * Takes row y, in order, of the only input vector: row_c of its in_c elements. The last call writes the output.
 * scratch: sums [out_c], kept between calls.
 */
TH_KERNEL void th_fully_connected_s16_b32_fold(const th_fully_connected_params *p, int32_t y, const int16_t *input,
                                               const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                               const int8_t *shifts, void *scratch, int16_t *output)
{
    int32_t *sums = (int32_t *)scratch;
    const int32_t in_c = p->in_c;
    const int32_t row_c = p->row_c;
    const int32_t start = y * row_c;
    for (int32_t oc = 0; oc < p->out_c; oc++) {
        const int32_t before = y > 0 ? sums[oc] : bias ? bias[oc] : 0;
        const int32_t sum = th_fully_connected_s16_b32_add(before, input, weights + oc * in_c + start, row_c);
        if (start + row_c < in_c) {
            sums[oc] = sum;
        } else {
            const int32_t m = oc * p->multiplier_step;
            output[oc] = th_fully_connected_s16_b32_of(p, sum, multipliers[m], shifts[m]);
        }
    }
}

#endif
