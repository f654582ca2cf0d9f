/*
 * Fully connected layer, int8 activations and weights, for Helium; bit-exact with fullyConnectedReference. Four
 * outputs at a time: see th_helium_dots.h.
 */
#ifndef TH_FULLY_CONNECTED_S8_HELIUM_H
#define TH_FULLY_CONNECTED_S8_HELIUM_H

#include "th_helium_pixels.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t multiplier, right; /* of all outputs; 0 where each has its own, in an array */
    int32_t out_zero, min, max;
} th_fully_connected_s8_helium_params;

/* Bytes of four multipliers, then four right shifts negated. */
#define TH_DENSE_SCALES 20

/* Where the scales of the first outputs are: in the array, or made up of what is the same for all. */
TH_INLINE const int8_t *th_dense_scales(const int32_t *scales, int32_t multiplier, int32_t right, int32_t *made)
{
    if (multiplier == 0) {
        return (const int8_t *)scales;
    }
    made[0] = made[1] = made[2] = made[3] = multiplier;
    made[4] = (int32_t)(UINT32_C(0x01010101) * (uint32_t)(uint8_t)-right);
    return (const int8_t *)made;
}

/* stream: as th_dots_scaled reads it; scales: see above, for each four outputs, where they differ. */
TH_KERNEL void th_fully_connected_s8_helium(const th_fully_connected_s8_helium_params *p, const int8_t *input,
                                            const int32_t *stream, const int32_t *scales, int8_t *output)
{
    const int32_t fours = p->out_c >> 2;
    const int32_t rest = p->out_c & 3;
    int32_t made[TH_DENSE_SCALES / 4];
    const int8_t *first_scales = th_dense_scales(scales, p->multiplier, p->right, made);
    const int32_t scale_step = p->multiplier == 0 ? TH_DENSE_SCALES : 0;
    const int8_t *rest_scales = first_scales + fours * scale_step;
    th_dots d;
    d.stream = (const int8_t *)stream;
    d.end = d.stream + fours * (4 * p->in_c + 16);
    d.depth = p->in_c;
    d.out_zero = p->out_zero;
    d.min = p->min;
    d.max = p->max;
    d.in_step = 0;
    d.out_step = 0;
    for (int32_t i = 0; i < p->batch; i++) {
        d.input = input;
        d.output = output;
        if (fours > 0) {
            th_dots_scaled(&d, first_scales, scale_step);
        }
        if (rest > 0) {
            th_dots_rest(&d, 1, rest, rest_scales, rest_scales + 16, output + 4 * fours);
        }
        input += p->in_c;
        output += p->out_c;
    }
}

#endif
