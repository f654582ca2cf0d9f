/*
 * Fully connected layer, int8 activations and weights, for Helium; bit-exact with fullyConnectedReference. Four
 * outputs at a time: see th_helium_dots.h.
 */
#ifndef TH_FULLY_CONNECTED_S8_HELIUM_H
#define TH_FULLY_CONNECTED_S8_HELIUM_H

#include "th_helium_pixels.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t scale_step; /* bytes from the scales of four outputs to those of the next; 0 where all are the same */
    int32_t out_zero, min, max;
} th_fully_connected_s8_helium_params;

/*
 * stream: as th_dots_scaled reads it; scales: four multipliers, four right shifts negated, for each four outputs or
 * once.
 */
TH_KERNEL void th_fully_connected_s8_helium(const th_fully_connected_s8_helium_params *p, const int8_t *input,
                                            const int32_t *stream, const int32_t *scales, int8_t *output)
{
    const int32_t fours = p->out_c >> 2;
    const int32_t rest = p->out_c & 3;
    const int8_t *rest_scales = (const int8_t *)scales + fours * p->scale_step;
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
            th_dots_scaled(&d, (const int8_t *)scales, p->scale_step);
        }
        if (rest > 0) {
            th_dots_rest(&d, 1, rest, rest_scales, rest_scales + 16, output + 4 * fours);
        }
        input += p->in_c;
        output += p->out_c;
    }
}

#endif
