/* int16 activations, int8 weights, int32 sums. */
#ifndef TH_WEIGHTED_S16_B32_H
#define TH_WEIGHTED_S16_B32_H

#include "th_weighted.h"

typedef int16_t th_input_s16_b32;
typedef int8_t th_weight_s16_b32;
typedef int32_t th_bias_s16_b32;
typedef int32_t th_acc_s16_b32;
typedef struct {
    int32_t s0, s1, s2, s3;
} th_accs_s16_b32;
typedef th_scale th_scale_s16_b32;

/* Zero points of int16 are 0. */
TH_INLINE int16_t th_value_s16_b32(const th_scale *s, int16_t x)
{
    (void)s;
    return x;
}

TH_INLINE int16_t th_output_s16_b32(const th_scale *s, int32_t sum, int32_t channel)
{
    return (int16_t)th_scaled(s, sum, channel);
}

#define TH_TYPE s16_b32
#include "th_weighted_sums.h"
#include "th_weighted_blocks.h"
#undef TH_TYPE

#endif
