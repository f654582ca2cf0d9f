/*
 * Exponential and reciprocal in fixed point with the rounding of the TFLite reference kernels (gemmlowp's
 * fixedpoint.h). The TypeScript twin of each function is in fixed-exp.ts.
 */
#ifndef TH_EXP_H
#define TH_EXP_H

#include "th_fixedpoint.h"

/* exp(a) in Q0.31 for a <= 0 in Q5.26. */
TH_INLINE int32_t th_exp_on_negative_values(int32_t a)
{
    /* exp(-2^(i - 2)): the factor of every bit of the part that the series does not cover. */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = 1 << 24;
    const int32_t fraction = (a & (quarter - 1)) - quarter;
    const int32_t remainder = (int32_t)((uint32_t)fraction - (uint32_t)a);
    /* Taylor series around -1/8, up to the fourth power. */
    const int32_t x = fraction * 32 + (1 << 28);
    const int32_t x2 = th_rounding_doubling_high_mul(x, x);
    const int32_t x3 = th_rounding_doubling_high_mul(x2, x);
    const int32_t x4 = th_rounding_doubling_high_mul(x2, x2);
    const int32_t third = th_rounding_doubling_high_mul(th_rounding_divide_by_pot(x4, 2) + x3, 715827883);
    const int32_t tail = th_rounding_divide_by_pot(third + x2, 1);
    int32_t result = 1895147668 + th_rounding_doubling_high_mul(1895147668, x + tail);
    for (int32_t i = 0; i < 7; i++) {
        if (remainder & (int32_t)(UINT32_C(1) << (24 + i))) {
            result = th_rounding_doubling_high_mul(result, factors[i]);
        }
    }
    return result;
}

/* x * 2^exponent, saturated; exponent in [0, 30]. */
TH_INLINE int32_t th_saturating_shift_left(int32_t x, int32_t exponent)
{
    const int32_t limit = INT32_MAX >> exponent;
    if (x > limit) {
        return INT32_MAX;
    }
    return x < -limit - 1 ? INT32_MIN : (int32_t)((uint32_t)x << exponent);
}

/* 1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31: three Newton-Raphson steps. */
TH_INLINE int32_t th_one_over_one_plus_x(int32_t a)
{
    const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    /* 48/17 - 32/17 d is the best straight line to start from; x is in Q2.29. */
    int32_t x = 1515870810 + th_rounding_doubling_high_mul(half_denominator, -1010580540);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t error = (1 << 29) - th_rounding_doubling_high_mul(half_denominator, x);
        x += th_saturating_shift_left(th_rounding_doubling_high_mul(x, error), 2);
    }
    return th_saturating_shift_left(x, 1);
}

/* 1 / x as a Q0.31 scale in (1/2, 1] and a right shift: x has `integer_bits` bits before the point and is not 0. */
TH_INLINE int32_t th_reciprocal(uint32_t x, int32_t integer_bits, int32_t *bits_over_unit)
{
    const int32_t headroom = th_leading_zeros(x);
    *bits_over_unit = integer_bits - headroom;
    return th_one_over_one_plus_x((int32_t)((x << headroom) - UINT32_C(0x80000000)));
}

/* Natural logarithm of x in Q12.19, x >= 1, as Q5.26. */
TH_INLINE int32_t th_fixed_log(int32_t x)
{
    const int32_t fourth_root = 1805811301; /* of 1/2; the approximation is centred there */
    const int32_t root = 1518500250;
    const int32_t headroom_a = th_leading_zeros((uint32_t)x);
    const int32_t headroom_b = th_leading_zeros((uint32_t)th_rounding_doubling_high_mul(x, root)) - 1;
    const int32_t scaled_a = th_rounding_doubling_high_mul(th_saturating_shift_left(x, headroom_a - 1), root);
    const int32_t r = th_min(th_saturating_shift_left(scaled_a, 1), th_saturating_shift_left(x, headroom_b));
    const int32_t power = th_max((12 - headroom_a) * (1 << 25) + (1 << 23), (12 - headroom_b) * (1 << 25) - (1 << 23));
    const int32_t p = (int32_t)(((int64_t)r + fourth_root + 1) / 2);
    const int32_t q = 2 * (r - fourth_root);
    const int32_t square = th_rounding_doubling_high_mul(q, q);
    const int32_t cube = th_rounding_doubling_high_mul(q, square);
    const int32_t numerator =
        th_rounding_doubling_high_mul(q, r) + th_rounding_doubling_high_mul(cube, 117049297);
    const int32_t inner = 1057819769 + q + th_rounding_doubling_high_mul(127690142, square);
    const int32_t denominator = th_rounding_doubling_high_mul(p, inner) + th_rounding_doubling_high_mul(638450708, q);
    const int32_t quotient = th_rounding_doubling_high_mul(th_rounding_divide_by_pot(numerator, 6),
                                                           th_one_over_one_plus_x(denominator));
    return th_saturating_shift_left(th_rounding_doubling_high_mul(power, 1488522236) + quotient, 1);
}

#endif
