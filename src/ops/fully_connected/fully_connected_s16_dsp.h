/*
 * Fully connected layer, int16 activations, int8 weights, for cores with the DSP instructions; bit-exact with
 * fullyConnectedReference. Two outputs at a time.
 */
#ifndef TH_FULLY_CONNECTED_S16_DSP_H
#define TH_FULLY_CONNECTED_S16_DSP_H

#include "fully_connected_params.h"
#include "th_dots_s16.h"
#include "th_fixedpoint.h"

/*
 * input [batch][in_c], weights [out_c][in_c], bias [out_c] or NULL, multipliers and shifts [out_c] (or [1], see
 * multiplier_step), output [batch][out_c]. Sums are of the type of the bias.
 */
#define TH_FULLY_CONNECTED_S16_DSP_DEFINE(name, type, requantize)                                                      \
    TH_KERNEL void name(const th_fully_connected_params *p, const int16_t *input, const int8_t *weights,               \
                        const type *bias, const int32_t *multipliers, const int8_t *shifts, int16_t *output)           \
    {                                                                                                                  \
        for (int32_t n = 0; n < p->batch; n++, input += p->in_c, output += p->out_c) {                                 \
            for (int32_t oc = 0; oc < p->out_c; oc += 2) {                                                             \
                const int32_t outputs = th_min(p->out_c - oc, 2);                                                      \
                const int8_t *first = weights + oc * p->in_c;                                                          \
                int64_t sums[2];                                                                                       \
                sums[0] = bias ? bias[oc] : 0;                                                                         \
                sums[1] = bias ? bias[oc + outputs - 1] : 0;                                                           \
                th_dots_s16(input, first, first + (outputs - 1) * p->in_c, p->in_c, sums);                             \
                for (int32_t c = oc; c < oc + outputs; c++) {                                                          \
                    const int32_t m = c * p->multiplier_step;                                                          \
                    const int32_t value = requantize((type)sums[c - oc], multipliers[m], shifts[m]) + p->out_zero;     \
                    output[c] = (int16_t)th_clamp(value, p->min, p->max);                                              \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

TH_FULLY_CONNECTED_S16_DSP_DEFINE(th_fully_connected_s16_dsp, int64_t, th_requantize64)
TH_FULLY_CONNECTED_S16_DSP_DEFINE(th_fully_connected_s16_b32_dsp, int32_t, th_requantize)

#endif
