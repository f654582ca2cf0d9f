/*
 * What the portable kernels of sums of products with weights share. Their loops are written once (see th_name.h), for
 * the combinations of element types s8, s8_w4, s16, s16_b32 and f32.
 */
#ifndef TH_WEIGHTED_H
#define TH_WEIGHTED_H

#include "th_fixedpoint.h"
#include "th_name.h"

/* Output channels that are computed at a time: sums and pointers of four fit the registers of a 32-bit core. */
#define TH_LANES 4

/* How integer sums become outputs; multipliers and shifts [channels], or [1] where step is 0. */
typedef struct {
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step;
    int32_t out_zero; /* zero point */
    int32_t min, max; /* of the quantized output */
    int8_t in_zero;   /* zero point of int8 inputs: differences to it are known to fit 16 bits */
} th_scale;

/* The initializer of a th_scale from a kernel's parameters. */
#define TH_SCALE(p, multipliers, shifts)                                                                               \
    {multipliers, shifts, (p)->multiplier_step, (p)->out_zero, (p)->min, (p)->max, (int8_t)(p)->in_zero}

/*
 * The elements of a window over rows of pixels, and the filters' weights for them: in each of `height` rows `runs` runs
 * of n elements, the first at `start`. Runs lie x_step apart, their weights w_step, and those of the next row row_step.
 */
typedef struct {
    const void *const *rows;
    int32_t height, start, runs, n;
    int32_t x_step, w_step, row_step;
} th_patch;

/* The quantized output of a 32-bit sum. */
TH_INLINE int32_t th_scaled(const th_scale *s, int32_t sum, int32_t channel)
{
    const int32_t m = channel * s->step;
    return th_clamp(th_requantize(sum, s->multipliers[m], s->shifts[m]) + s->out_zero, s->min, s->max);
}

/* The quantized output of a 64-bit sum. */
TH_INLINE int32_t th_scaled64(const th_scale *s, int64_t sum, int32_t channel)
{
    const int32_t m = channel * s->step;
    return th_clamp(th_requantize64(sum, s->multipliers[m], s->shifts[m]) + s->out_zero, s->min, s->max);
}

#endif
