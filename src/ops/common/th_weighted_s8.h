/* int8 activations and weights, int32 sums. */
#ifndef TH_WEIGHTED_S8_H
#define TH_WEIGHTED_S8_H

#include "th_weighted.h"

typedef int8_t th_input_s8;
typedef int8_t th_weight_s8;
typedef int32_t th_bias_s8;
typedef int32_t th_acc_s8;
typedef struct {
    int32_t s0, s1, s2, s3;
} th_accs_s8;
typedef th_scale th_scale_s8;

TH_INLINE int16_t th_value_s8(const th_scale *s, int8_t x)
{
    return (int16_t)(x - s->in_zero);
}

TH_INLINE int8_t th_output_s8(const th_scale *s, int32_t sum, int32_t channel)
{
    return (int8_t)th_scaled(s, sum, channel);
}

#define TH_TYPE s8
#include "th_weighted_sums.h"
#include "th_weighted_blocks.h"
#undef TH_TYPE

#endif
