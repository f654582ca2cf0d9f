/* int16 activations, int8 weights, int64 sums of what int32 ones hold. */
#ifndef TH_WEIGHTED_S16_H
#define TH_WEIGHTED_S16_H

#include "th_weighted_s16_b32.h"

/* So many products of 2^22 at most never leave 32 bits. */
#define TH_PRODUCTS_S16 511

typedef int16_t th_input_s16;
typedef int8_t th_weight_s16;
typedef int64_t th_bias_s16;
typedef int64_t th_acc_s16;
typedef struct {
    int64_t s0, s1, s2, s3;
} th_accs_s16;
typedef th_scale th_scale_s16;

TH_INLINE int16_t th_output_s16(const th_scale *s, int64_t sum, int32_t channel)
{
    return (int16_t)th_scaled64(s, sum, channel);
}

/* Sums of few products, and their addition to all sums. */
typedef th_accs_s16_b32 th_part_s16;

TH_INLINE int32_t th_most_s16(void)
{
    return TH_PRODUCTS_S16;
}

TH_INLINE th_part_s16 th_part_of_s16(const th_accs_s16 *sums)
{
    const th_part_s16 none = {0, 0, 0, 0};
    (void)sums;
    return none;
}

TH_INLINE void th_take_s16(th_accs_s16 *sums, const th_part_s16 *part)
{
    sums->s0 += part->s0;
    sums->s1 += part->s1;
    sums->s2 += part->s2;
    sums->s3 += part->s3;
}

/* As in th_weighted_sums.h, like all below. */
TH_INLINE void th_dense4_s16(th_accs_s16 *sums, const int16_t *x, const int8_t *weights, int32_t first, int32_t step,
                             int32_t n, const th_scale *scale)
{
    for (int32_t c = 0; c < n; c += TH_PRODUCTS_S16) {
        th_part_s16 part = th_part_of_s16(sums);
        th_dense4_s16_b32(&part, x + c, weights, first + c, step, th_min(n - c, TH_PRODUCTS_S16), scale);
        th_take_s16(sums, &part);
    }
}

TH_INLINE void th_taps4_s16(th_part_s16 *part, const int16_t *x, int32_t x_step, const int8_t *weights, int32_t first,
                            int32_t w_step, int32_t n, int32_t spread, const th_scale *scale)
{
    th_taps4_s16_b32(part, x, x_step, weights, first, w_step, n, spread, scale);
}

TH_INLINE void th_taps1_s16(th_accs_s16 *sums, const int16_t *x, int32_t x_step, const int8_t *weights, int32_t first,
                            int32_t w_step, int32_t n, const th_scale *scale)
{
    const int8_t *w = weights + first;
    int64_t sum = sums->s0;
    (void)scale;
    for (; n > 0; n--) {
        sum += *x * *w;
        x += x_step;
        w += w_step;
    }
    sums->s0 = sum;
}

#define TH_TYPE s16
#include "th_weighted_blocks.h"
#undef TH_TYPE

#endif
