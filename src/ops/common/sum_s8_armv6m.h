/*
 * Addition of two int8 tensors of one shape, for Armv6-M, without long multiplies; bit-exact with sumReference. The input of
 * the larger scale is only shifted, as its multiplier is a half; the other's sum is rounded twice, as is the result, each
 * time by a product and a shift of 1 to 22.
 */
#ifndef TH_SUM_S8_ARMV6M_H
#define TH_SUM_S8_ARMV6M_H

#include "th_base.h"

typedef struct {
    int32_t n;
    int32_t zero1, zero2;
    int32_t low2, high2, left2;           /* of the second: halves of its multiplier, and its shift to the left */
    int32_t half2, right2;                /* half: 2^(right - 1) */
    int32_t out_low, out_high;            /* halves of the result's multiplier */
    int32_t add, out_right;               /* add: half and zero point, shifted left by out_right */
    int32_t min, max;
} th_sum_m0_params;

/* floor((sum * (high * 2^16 + low) + 2^30) / 2^31), |sum| < 2^29; high below 2^15, low below 2^16. */
TH_INLINE int32_t th_sum_m0_scaled(int32_t sum, int32_t low, int32_t high)
{
    const int32_t lower = (int16_t)sum;
    const int32_t upper = (sum - lower) >> 16;
    const int32_t middle = ((lower * low) >> 16) + lower * high + upper * low;
    return 2 * upper * high + ((middle + (1 << 14)) >> 15);
}

TH_KERNEL void th_sum_s8_armv6m(const th_sum_m0_params *params, const int8_t *input1, const int8_t *input2,
                                int8_t *output)
{
    const th_sum_m0_params p = *params;
    const int8_t *const end = input1 + p.n;
    while (input1 != end) {
        const int32_t x1 = *input1++ - p.zero1;
        const int32_t x2 = *input2++ - p.zero2;
        /* Rounding concerns the low half's product only. */
        int32_t scaled = ((x2 * p.low2 + (1 << (31 - p.left2))) >> (32 - p.left2)) + x2 * p.high2 * (1 << (p.left2 - 16));
        scaled = (scaled + p.half2 + (x2 >> 31)) >> p.right2;
        const int32_t sum = x1 * (1 << 19) + scaled;
        const int32_t value = th_sum_m0_scaled(sum, p.out_low, p.out_high);
        *output++ = (int8_t)th_clamp((value + p.add + (sum >> 31)) >> p.out_right, p.min, p.max);
    }
}

#endif
