/*
 * Fixed-point arithmetic with the rounding of the TFLite reference kernels (gemmlowp; Jacob et al. 2018, section
 * 2.2). The TypeScript twin of each function is in src/base/fixedpoint.ts.
 */
#ifndef TH_FIXEDPOINT_H
#define TH_FIXEDPOINT_H

#include "th_base.h"

/* The number of leading zero bits; 32 for 0. */
TH_INLINE int32_t th_leading_zeros(uint32_t x)
{
    if (x == 0) {
        return 32;
    }
#if defined(__GNUC__) && !defined(__ARM_ARCH_6M__)
    return __builtin_clz(x);
#else
    int32_t n = 0;
    while (!(x & UINT32_C(0x80000000))) {
        x <<= 1;
        n++;
    }
    return n;
#endif
}

/* floor((a * b + 2^30) / 2^31); a * b must not be 2^62. Right shifts of negative values are arithmetic on every
 * compiler Thimble supports. */
TH_INLINE int32_t th_rounding_doubling_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^exponent to nearest, ties away from zero; exponent in [0, 31]. */
TH_INLINE int32_t th_rounding_divide_by_pot(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
    const int32_t remainder = x & mask;
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/*
 * x * multiplier * 2^(shift - 31), rounded twice; shift in [-31, 30], positive shifts left. After one is taken from
 * negative values, ties go up.
 */
TH_INLINE int32_t th_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) {
        return th_rounding_doubling_high_mul((int32_t)((uint32_t)x << shift), multiplier);
    }
    const int32_t high = th_rounding_doubling_high_mul(x, multiplier);
    const int32_t twice = (high + (high >> 31)) >> (-shift - 1);
    return (twice >> 1) + (twice & 1);
}

/* The 64-bit accumulator's form: |x| < 2^47, the multiplier reduced to 15 bits, rounded once, half up. */
TH_INLINE int32_t th_requantize64(int64_t x, int32_t multiplier, int32_t shift)
{
    const int32_t reduced = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
    const int32_t total = 15 - shift;
    return (int32_t)((x * reduced + ((int64_t)1 << (total - 1))) >> total);
}

#endif
