/* int8 activations, int4 weights packed two to a byte (low nibble first), int32 sums. */
#ifndef TH_WEIGHTED_S8_W4_H
#define TH_WEIGHTED_S8_W4_H

#include "th_weighted_s8.h"

typedef int8_t th_input_s8_w4;
typedef uint8_t th_weight_s8_w4;
typedef int32_t th_bias_s8_w4;
typedef int32_t th_acc_s8_w4;
typedef th_accs_s8 th_accs_s8_w4;
typedef th_scale th_scale_s8_w4;

TH_INLINE int8_t th_output_s8_w4(const th_scale *s, int32_t sum, int32_t channel)
{
    return (int8_t)th_scaled(s, sum, channel);
}

/* As for int8 weights. */
typedef th_part_s8 th_part_s8_w4;

TH_INLINE int32_t th_most_s8_w4(void)
{
    return th_most_s8();
}

TH_INLINE th_part_s8 th_part_of_s8_w4(const th_accs_s8 *sums)
{
    return th_part_of_s8(sums);
}

TH_INLINE void th_take_s8_w4(th_accs_s8 *sums, const th_part_s8 *part)
{
    th_take_s8(sums, part);
}

/* The weights in the low and the high half of a byte. */
TH_INLINE int32_t th_low4(uint8_t pair)
{
    return (int8_t)(uint8_t)(pair << 4) >> 4;
}

TH_INLINE int32_t th_high4(uint8_t pair)
{
    return (int8_t)pair >> 4;
}

/* As in th_weighted_sums.h, like all below. Pairs of weights in bytes of their own are taken together. */
TH_INLINE void th_dense4_s8_w4(th_accs_s8 *sums, const int8_t *x, const uint8_t *weights, int32_t first, int32_t step,
                               int32_t n, const th_scale *scale)
{
    th_accs_s8 s = *sums;
    int32_t c = 0;
    while (c < n) {
        if (((step | (first + c)) & 1) == 0 && c + 1 < n) {
            const uint8_t *w = weights + (first + c) / 2;
            for (; c + 1 < n; c += 2, w++) {
                const int32_t low = th_value_s8(scale, x[c]);
                const int32_t high = th_value_s8(scale, x[c + 1]);
                const int32_t bytes = step / 2;
                s.s0 += low * th_low4(w[0]) + high * th_high4(w[0]);
                s.s1 += low * th_low4(w[bytes]) + high * th_high4(w[bytes]);
                s.s2 += low * th_low4(w[2 * bytes]) + high * th_high4(w[2 * bytes]);
                s.s3 += low * th_low4(w[3 * bytes]) + high * th_high4(w[3 * bytes]);
            }
        } else {
            const int32_t value = th_value_s8(scale, x[c]);
            s.s0 += value * th_int4(weights, first + c);
            s.s1 += value * th_int4(weights, first + step + c);
            s.s2 += value * th_int4(weights, first + 2 * step + c);
            s.s3 += value * th_int4(weights, first + 3 * step + c);
            c++;
        }
    }
    *sums = s;
}

TH_INLINE void th_taps4_s8_w4(th_accs_s8 *sums, const int8_t *x, int32_t x_step, const uint8_t *weights, int32_t first,
                              int32_t w_step, int32_t n, int32_t spread, const th_scale *scale)
{
    th_accs_s8 s = *sums;
    int32_t w = first;
    for (int32_t k = 0; k < n; k++) {
        s.s0 += th_value_s8(scale, x[0]) * th_int4(weights, w);
        s.s1 += th_value_s8(scale, x[spread]) * th_int4(weights, w + 1);
        s.s2 += th_value_s8(scale, x[2 * spread]) * th_int4(weights, w + 2);
        s.s3 += th_value_s8(scale, x[3 * spread]) * th_int4(weights, w + 3);
        x += x_step;
        w += w_step;
    }
    *sums = s;
}

TH_INLINE void th_taps1_s8_w4(th_accs_s8 *sums, const int8_t *x, int32_t x_step, const uint8_t *weights, int32_t first,
                              int32_t w_step, int32_t n, const th_scale *scale)
{
    int32_t sum = sums->s0;
    for (int32_t k = 0; k < n; k++) {
        sum += th_value_s8(scale, *x) * th_int4(weights, first + k * w_step);
        x += x_step;
    }
    sums->s0 = sum;
}

#define TH_TYPE s8_w4
#include "th_weighted_blocks.h"
#undef TH_TYPE

#endif
