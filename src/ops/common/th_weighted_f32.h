/* float32 activations, weights and sums. */
#ifndef TH_WEIGHTED_F32_H
#define TH_WEIGHTED_F32_H

#include "th_weighted.h"

typedef float th_input_f32;
typedef float th_weight_f32;
typedef float th_bias_f32;
typedef float th_acc_f32;
typedef struct {
    float s0, s1, s2, s3;
} th_accs_f32;
typedef struct {
    float min, max; /* of the activation */
} th_scale_f32;

TH_INLINE float th_value_f32(const th_scale_f32 *s, float x)
{
    (void)s;
    return x;
}

TH_INLINE float th_output_f32(const th_scale_f32 *s, float sum, int32_t channel)
{
    (void)channel;
    return th_clampf(sum, s->min, s->max);
}

#define TH_TYPE f32
#include "th_weighted_sums.h"
#include "th_weighted_blocks.h"
#undef TH_TYPE

#endif
