/*
 * All output channels of pixels, from the values that each is a product of: see th_helium_dots.h.
 */
#ifndef TH_HELIUM_PIXELS_H
#define TH_HELIUM_PIXELS_H

#include "th_helium_narrow.h"

#if TH_HELIUM

/* Sums of three vectors of weights. */
typedef struct {
    int32_t first, second, third;
} th_three;

TH_INLINE th_three th_dots_three(const int8_t *x, const int8_t *first, const int8_t *second, const int8_t *third,
                                 int32_t n)
{
    th_three sums = {0, 0, 0};
    __asm__("wlstp.8 lr, %[n], 1f\n"
            "0:\n"
            "vldrb.u8 q0, [%[x]], #16\n"
            "vldrb.u8 q1, [%[w0]], #16\n"
            "vmladava.s8 %[s0], q0, q1\n"
            "vldrb.u8 q1, [%[w1]], #16\n"
            "vmladava.s8 %[s1], q0, q1\n"
            "vldrb.u8 q1, [%[w2]], #16\n"
            "vmladava.s8 %[s2], q0, q1\n"
            "letp lr, 0b\n"
            "1:"
            : [s0] "+Te"(sums.first), [s1] "+Te"(sums.second), [s2] "+Te"(sums.third), [x] "+r"(x), [w0] "+r"(first),
              [w1] "+r"(second), [w2] "+r"(third)
            : [n] "r"(n)
            : "lr", "q0", "q1", "memory");
    return sums;
}

/* The channels left of groups of four: weights and biases are in the stream at d->end. */
TH_ROW void th_dots_rest(const th_dots *d, int32_t pixels, int32_t channels, const int8_t *multipliers,
                         const int8_t *shifts, int8_t *output)
{
    const int32_t depth = d->depth;
    const int8_t *first = d->end;
    const int8_t *second = first + (channels > 1 ? depth : 0);
    const int8_t *third = second + (channels > 2 ? depth : 0);
    const int8_t *biases = first + ((channels * depth + 3) & ~3);
    const mve_pred16_t some = vctp32q((uint32_t)channels);
    const int32x4_t bias = vldrwq_z_s32((const int32_t *)(const void *)biases, some);
    const int32x4_t multiplier = vldrwq_z_s32((const int32_t *)(const void *)multipliers, some);
    const int32x4_t right = vldrbq_z_s32(shifts, some);
    const int32x4_t min = vdupq_n_s32(d->min);
    const int32x4_t max = vdupq_n_s32(d->max);
    const int8_t *input = d->input;
    for (; pixels > 0; pixels--, input += d->in_step, output += d->out_step) {
        const th_three sums = th_dots_three(input, first, second, third, depth);
        int32x4_t x = vdupq_n_s32(sums.first);
        x = vsetq_lane_s32(sums.second, x, 1);
        x = vaddq_s32(vsetq_lane_s32(sums.third, x, 2), bias);
        x = vaddq_s32(vqrdmulhq_s32(x, multiplier), vshrq_n_s32(x, 31));
        x = vaddq_n_s32(vrshlq_s32(x, right), d->out_zero);
        vstrbq_p_s32(output, vminq_s32(vmaxq_s32(x, min), max), some);
    }
}

/* Adds the products of n values with up to three vectors of weights, `apart` bytes from one to the next, to as many sums. */
TH_INLINE void th_dots_rest_add(const int8_t *x, const int8_t *weights, int32_t apart, int32_t n, int32_t channels,
                                int32_t *sums)
{
    const int8_t *second = weights + (channels > 1 ? apart : 0);
    const int8_t *third = second + (channels > 2 ? apart : 0);
    const th_three three = th_dots_three(x, weights, second, third, n);
    sums[0] += three.first;
    sums[1] += channels > 1 ? three.second : 0;
    sums[2] += channels > 2 ? three.third : 0;
}

#else

TH_INLINE void th_dots_rest_add(const int8_t *x, const int8_t *weights, int32_t apart, int32_t n, int32_t channels,
                                int32_t *sums)
{
    for (int32_t i = 0; i < channels; i++) {
        sums[i] += th_dot(x, weights + i * apart, n);
    }
}

TH_ROW void th_dots_rest(const th_dots *d, int32_t pixels, int32_t channels, const int8_t *multipliers,
                         const int8_t *shifts, int8_t *output)
{
    const int8_t *biases = d->end + ((channels * d->depth + 3) & ~3);
    const int8_t *input = d->input;
    for (; pixels > 0; pixels--, input += d->in_step, output += d->out_step) {
        for (int32_t i = 0; i < channels; i++) {
            const int32_t sum = th_dot(input, d->end + i * d->depth, d->depth) + (int32_t)th_load32(biases + 4 * i);
            output[i] = th_helium_finish(sum, (int32_t)th_load32(multipliers + 4 * i), -shifts[i], d->out_zero,
                                         d->min, d->max);
        }
    }
}

#endif

/*
 * Pixels of one row, whose outputs may lie where the input of rows before was: d->in_step apart, to `channels`
 * outputs each at d->output. Changes what of d moves on.
 * relu: outputs are limited to the zero point and more.
 */
TH_INLINE void th_dots_pixels_of(th_dots *d, int32_t pixels, int32_t channels, int relu)
{
    const int32_t fours = channels & ~3;
    if (channels > fours) {
        const int32_t rest = channels - fours;
        const int8_t *scales = d->end + ((rest * d->depth + 3) & ~3) + 4 * rest;
        th_dots_rest(d, pixels, rest, scales, scales + 4 * rest, d->output + fours);
    }
    if (fours == 0) {
        return;
    }
    if (d->depth <= 16) {
        d->count = pixels;
        if (relu && d->min == INT8_MIN && d->max == INT8_MAX) {
            th_dots_narrow_relu(d);
        } else {
            th_dots_narrow(d);
        }
        return;
    }
    if (pixels > 1) {
        d->count = pixels >> 1;
        if (relu) {
            th_dots_pairs_relu(d);
        } else {
            th_dots_pairs(d);
        }
    }
    if (pixels & 1) {
        relu ? th_dots_one_relu(d, NULL, 0) : th_dots_one(d, NULL, 0);
    }
}

TH_KERNEL void th_dots_pixels(th_dots *d, int32_t pixels, int32_t channels)
{
    th_dots_pixels_of(d, pixels, channels, 0);
}

TH_KERNEL void th_dots_pixels_relu(th_dots *d, int32_t pixels, int32_t channels)
{
    th_dots_pixels_of(d, pixels, channels, 1);
}

#endif
