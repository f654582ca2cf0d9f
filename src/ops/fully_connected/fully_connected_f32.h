/*
 * Fully connected layer, float32.
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL, output [batch][out_c].
 */
#ifndef TH_FULLY_CONNECTED_F32_H
#define TH_FULLY_CONNECTED_F32_H

#include "th_weighted_f32.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t row_c;  /* elements of an input row, for folds */
    float min, max; /* of the activation */
} th_fully_connected_f32_params;
typedef th_fully_connected_f32_params th_fully_connected_params_f32;

TH_INLINE float th_fully_connected_start_f32(const th_fully_connected_f32_params *p, const float *input, int32_t n)
{
    (void)p;
    (void)input;
    (void)n;
    return 0;
}

#define TH_TYPE f32
#include "th_fully_connected_units.h"
#undef TH_TYPE

TH_KERNEL void th_fully_connected_f32(const th_fully_connected_f32_params *p, const float *input, const float *weights,
                                      const float *bias, float *output)
{
    const th_scale_f32 scale = {p->min, p->max};
    th_fully_connected_units_f32(p, input, weights, bias, &scale, output);
}

/*
 * Takes row y, in order, of the only input vector: row_c of its in_c elements. The last call writes the output.
 * scratch: sums [out_c], kept between calls.
 */
TH_KERNEL void th_fully_connected_f32_fold(const th_fully_connected_f32_params *p, int32_t y, const float *input,
                                           const float *weights, const float *bias, void *scratch, float *output)
{
    const th_scale_f32 scale = {p->min, p->max};
    th_fully_connected_row_f32(p, y, input, weights, bias, &scale, (float *)scratch, output);
}

#endif
