/*
 * The layer of fully_connected_s8_helium.h, its only input vector given a row at a time. Where rows are not made up of
 * whole steps, each row of weights is packed as a depth of its own.
 */
#ifndef TH_FULLY_CONNECTED_S8_HELIUM_FOLD_H
#define TH_FULLY_CONNECTED_S8_HELIUM_FOLD_H

#include "fully_connected_s8_helium.h"

typedef struct {
    int32_t rows, row_c, out_c;
    int32_t multiplier, right; /* as above */
    int32_t out_zero, min, max;
} th_fully_connected_s8_helium_fold_params;

/*
 * Takes row y, in order: row_c inputs. The last call writes the output [out_c]. stream and scales: see
 * fully_connected_s8_helium.h.
 * scratch: sums [out_c, rounded up to 4], kept between calls.
 */
TH_KERNEL void th_fully_connected_s8_helium_fold(const th_fully_connected_s8_helium_fold_params *p, int32_t y,
                                                 const int8_t *input, const int32_t *stream, const int32_t *scales,
                                                 void *scratch, int8_t *output)
{
    int32_t *sums = (int32_t *)scratch;
    const int8_t *weights = (const int8_t *)stream;
    const int32_t depth = p->rows * p->row_c;
    const int32_t fours = p->out_c & ~3;
    const int32_t rest = p->out_c & 3;
    const int8_t *rest_weights = weights + fours * (depth + 4);
    if (y == 0) {
        for (int32_t c = 0; c < fours; c += 4) {
            memcpy(sums + c, weights + c * (depth + 4) + 4 * depth, 4 * sizeof *sums);
        }
        memcpy(sums + fours, rest_weights + ((rest * depth + 3) & ~3), (size_t)rest * sizeof *sums);
    }
    if (fours > 0) {
        th_dots d;
        memset(&d, 0, sizeof d);
        d.stream = weights + 4 * p->row_c * y;
        d.end = d.stream + fours * (depth + 4);
        d.input = input;
        d.output = (int8_t *)scratch;
        d.depth = p->row_c;
        th_dots_add(&d, NULL, 4 * (depth - p->row_c));
    }
    if (rest > 0) {
        th_dots_rest_add(input, rest_weights + p->row_c * y, depth, p->row_c, rest, sums + fours);
    }
    if (y + 1 < p->rows) {
        return;
    }
    int32_t made[TH_DENSE_SCALES / 4];
    const int8_t *first_scales = th_dense_scales(scales, p->multiplier, p->right, made);
    const int32_t scale_step = p->multiplier == 0 ? TH_DENSE_SCALES : 0;
    for (int32_t c = 0; c < p->out_c; c++) {
        const int8_t *scale = first_scales + (c >> 2) * scale_step;
        output[c] = th_helium_finish(sums[c], (int32_t)th_load32(scale + 4 * (c & 3)), -scale[16 + (c & 3)], p->out_zero,
                                     p->min, p->max);
    }
}

#endif
