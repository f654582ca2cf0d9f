/*
 * Softmax of int8 vectors with int8 results, for cores with the DSP instructions; bit-exact with softmaxReference. As
 * softmax_s8.h, with the rounding doubling high multiply as one instruction: SMMULR of twice a factor, and for a factor f from
 * 2^30 on SMMLAR of 2f - 2^32, which adds the other factor once more.
 */
#ifndef TH_SOFTMAX_S8_DSP_H
#define TH_SOFTMAX_S8_DSP_H

#include "softmax_params.h"
#include "th_dsp.h"
#include "th_exp.h"

/* x times exp(-2^(i - 2)) for every bit 24 + i of `bits`: see th_exp_on_negative_values. */
TH_INLINE int32_t th_softmax_dsp_power(int32_t x, int32_t bits)
{
    if (bits & (1 << 24)) {
        x = th_smmlar(x, -950043402, x);
    }
    if (bits & (1 << 25)) {
        x = th_smmlar(x, -1689937948, x);
    }
    if (bits & (1 << 26)) {
        x = th_smmulr(x, 2 * 790015084);
    }
    if (bits & (1 << 27)) {
        x = th_smmulr(x, 2 * 290630308);
    }
    if (bits & (1 << 28)) {
        x = th_smmulr(x, 2 * 39332535);
    }
    if (bits & (1 << 29)) {
        x = th_smmulr(x, 2 * 720401);
    }
    if (bits & (1 << 30)) {
        x = th_smmulr(x, 2 * 242);
    }
    return x;
}

/* As th_exp_on_negative_values of a scaled difference. */
TH_ROW int32_t th_softmax_dsp_exp(int32_t diff, int32_t multiplier, int32_t shift)
{
    const int32_t a = th_rounding_doubling_high_mul((int32_t)((uint32_t)diff << shift), multiplier);
    const int32_t quarter = 1 << 24;
    const int32_t fraction = (a & (quarter - 1)) - quarter;
    const int32_t remainder = (int32_t)((uint32_t)fraction - (uint32_t)a);
    const int32_t x = fraction * 32 + (1 << 28);
    const int32_t x2 = th_smmulr(2 * x, x);
    const int32_t x3 = th_smmulr(2 * x2, x);
    const int32_t x4 = th_smmulr(2 * x2, x2);
    const int32_t third = th_smmulr(2 * (((x4 + 2) >> 2) + x3), 715827883);
    const int32_t both = third + x2;
    const int32_t tail = (both + 1 + (both >> 31)) >> 1;
    if (a == 0) {
        return INT32_MAX;
    }
    return th_softmax_dsp_power(th_smmlar(2 * (x + tail), 1895147668, 1895147668), remainder);
}

TH_INLINE void th_softmax_s8_dsp_row(const th_softmax_params *p, const int8_t *input, int8_t *output)
{
    int32_t largest = INT8_MIN;
    uint32_t sum = 0; /* 12 bits before the point */
    int32_t bits_over_unit;
    for (int32_t c = 0; c < p->depth; c++) {
        largest = th_max(largest, input[c]);
    }
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        if (diff >= p->diff_min) {
            sum += ((uint32_t)th_softmax_dsp_exp(diff, p->multiplier, p->shift) + (1u << 11)) >> 12;
        }
    }
    const int32_t scale = th_reciprocal(sum, 12, &bits_over_unit);
    const int32_t scale2 = (int32_t)(2 * (uint32_t)scale);
    const int32_t shift = bits_over_unit + 31 - 8;
    for (int32_t c = 0; c < p->depth; c++) {
        const int32_t diff = input[c] - largest;
        int32_t value = INT8_MIN;
        /* Beyond 31 bits the quotient is less than a half. */
        if (diff >= p->diff_min && shift <= 31) {
            const int32_t exp = th_softmax_dsp_exp(diff, p->multiplier, p->shift);
            const uint32_t share = (uint32_t)th_smmlar(exp, scale2, exp);
            value += (int32_t)((share + (UINT32_C(1) << (shift - 1))) >> shift);
        }
        output[c] = (int8_t)th_min(value, INT8_MAX);
    }
}

TH_KERNEL void th_softmax_s8_dsp(const th_softmax_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < p->rows; row++) {
        th_softmax_s8_dsp_row(p, input + row * p->depth, output + row * p->depth);
    }
}

#endif
