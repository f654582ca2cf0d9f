/*
 * Fully connected layer, int8 activations and weights, int32 accumulator; bit-exact with fullyConnectedReference.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_S8_H
#define TH_FULLY_CONNECTED_S8_H

#include "fully_connected_params.h"
#include "th_weighted_s8.h"

typedef th_fully_connected_params th_fully_connected_params_s8;

/* The zero point of weights, times all inputs. */
TH_INLINE int32_t th_fully_connected_start_s8(const th_fully_connected_params *p, const int8_t *input, int32_t n)
{
    int32_t sum = 0;
    for (int32_t c = 0; p->weights_zero != 0 && c < n; c++) {
        sum += input[c] - p->in_zero;
    }
    return -p->weights_zero * sum;
}

#define TH_TYPE s8
#include "th_fully_connected_units.h"
#undef TH_TYPE

TH_KERNEL void th_fully_connected_s8(const th_fully_connected_params *p, const int8_t *input, const int8_t *weights,
                                     const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                     int8_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_fully_connected_units_s8(p, input, weights, bias, &scale, output);
}

/*
 * Takes row y, in order, of the only input vector: row_c of its in_c elements. The last call writes the output.
 * scratch: sums [out_c], kept between calls.
 */
TH_KERNEL void th_fully_connected_s8_fold(const th_fully_connected_params *p, int32_t y, const int8_t *input,
                                          const int8_t *weights, const int32_t *bias, const int32_t *multipliers,
                                          const int8_t *shifts, void *scratch, int8_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_fully_connected_row_s8(p, y, input, weights, bias, &scale, (int32_t *)scratch, output);
}

#endif
