/*
 * Logistic and tanh of int16 by interpolation in a table of sigmoid(i / 24), Q0.16; bit-exact with sigmoidMap16.
 * Both functions are symmetric, so the table covers positive arguments only; tanh(x) = 2 sigmoid(2 x) - 1.
 */
#ifndef TH_SIGMOID_S16_H
#define TH_SIGMOID_S16_H

#include "th_base.h"

typedef struct {
    int32_t n;
    int32_t multiplier, shift; /* bring the input to units of 1 / (3 * 4096); multiplier in [3, 32767] */
} th_sigmoid_s16_params;

/* The table's value at `magnitude` units, with `bits` bits between entries, scaled by 2^bits. */
TH_INLINE int32_t th_sigmoid_between(const int16_t *table, int32_t magnitude, int32_t bits)
{
    const int32_t index = magnitude >> bits;
    const int32_t low = (uint16_t)table[index];
    const int32_t high = (uint16_t)table[index + 1];
    return (int32_t)((uint32_t)low << bits) + (magnitude & ((1 << bits) - 1)) * (high - low);
}

TH_INLINE int32_t th_sigmoid_input(const th_sigmoid_s16_params *p, int32_t x)
{
    const int32_t half = p->shift > 0 ? (int32_t)(UINT32_C(1) << (p->shift - 1)) : 0;
    return (x * p->multiplier + half) >> p->shift;
}

TH_INLINE int32_t th_logistic_s16_value(const th_sigmoid_s16_params *p, const int16_t *table, int32_t input)
{
    const int32_t x = th_sigmoid_input(p, input);
    const int32_t magnitude = x < 0 ? -x : x;
    const int32_t value = magnitude >> 9 >= 255 ? 0x7fff << 10 : th_sigmoid_between(table, magnitude, 9);
    return (x >= 0 ? value + 512 : (1 << 25) - value + 511) >> 10;
}

TH_INLINE int32_t th_tanh_s16_value(const th_sigmoid_s16_params *p, const int16_t *table, int32_t input)
{
    const int32_t x = th_sigmoid_input(p, input);
    const int32_t magnitude = x < 0 ? -x : x;
    const int32_t value = (magnitude >> 8 >= 255 ? 0xffff << 8 : th_sigmoid_between(table, magnitude, 8)) - (1 << 23);
    return (x >= 0 ? value + 128 : 127 - value) >> 8;
}

#define TH_SIGMOID_S16(name)                                                                                          \
    TH_INLINE void name##_row(const th_sigmoid_s16_params *p, const int16_t *input, const int16_t *table, int32_t n,  \
                              int16_t *output)                                                                        \
    {                                                                                                                 \
        for (int32_t i = 0; i < n; i++) {                                                                             \
            output[i] = (int16_t)name##_value(p, table, input[i]);                                                    \
        }                                                                                                             \
    }                                                                                                                 \
    TH_KERNEL void name(const th_sigmoid_s16_params *p, const int16_t *input, const int16_t *table, int16_t *output)  \
    {                                                                                                                 \
        name##_row(p, input, table, p->n, output);                                                                    \
    }

TH_SIGMOID_S16(th_logistic_s16)
TH_SIGMOID_S16(th_tanh_s16)

#endif
