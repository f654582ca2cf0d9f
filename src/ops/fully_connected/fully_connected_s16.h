/*
 * Fully connected layer, int16 activations, int8 weights, int64 bias and accumulator; bit-exact with
 * fullyConnectedReference.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL,
 * multipliers and shifts [out_c] (or [1], see multiplier_step), output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_S16_H
#define TH_FULLY_CONNECTED_S16_H

#include "fully_connected_params.h"
#include "th_weighted_s16.h"

typedef th_fully_connected_params th_fully_connected_params_s16;

TH_INLINE int64_t th_fully_connected_start_s16(const th_fully_connected_params *p, const int16_t *input, int32_t n)
{
    (void)p;
    (void)input;
    (void)n;
    return 0;
}

#define TH_TYPE s16
#include "th_fully_connected_units.h"
#undef TH_TYPE

TH_KERNEL void th_fully_connected_s16(const th_fully_connected_params *p, const int16_t *input, const int8_t *weights,
                                      const int64_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                      int16_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_fully_connected_units_s16(p, input, weights, bias, &scale, output);
}

/*
 * Takes row y, in order, of the only input vector: row_c of its in_c elements. The last call writes the output.
 * scratch: sums [out_c], kept between calls.
 */
TH_KERNEL void th_fully_connected_s16_fold(const th_fully_connected_params *p, int32_t y, const int16_t *input,
                                           const int8_t *weights, const int64_t *bias, const int32_t *multipliers,
                                           const int8_t *shifts, void *scratch, int16_t *output)
{
    const th_scale scale = TH_SCALE(p, multipliers, shifts);
    th_fully_connected_row_s16(p, y, input, weights, bias, &scale, (int64_t *)scratch, output);
}

#endif
