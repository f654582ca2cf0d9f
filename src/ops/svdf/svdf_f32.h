/*
 * SVDF (Nakkiran et al. 2015), float32.
 * input [batch][inputs], weights [units * rank][inputs], time [units * rank][memory], bias [units] or NULL,
 * state [batch][units * rank][memory], oldest first, output [batch][units].
 */
#ifndef TH_SVDF_F32_H
#define TH_SVDF_F32_H

#include "svdf_params.h"

/* Drops the oldest entry of one filter's history and appends the new feature. */
TH_INLINE void th_svdf_f32_feature(const th_svdf_f32_params *p, const float *input, const float *weights,
                                   float *history)
{
    float sum = 0;
    for (int32_t i = 0; i < p->inputs; i++) {
        sum += input[i] * weights[i];
    }
    memmove(history, history + 1, (size_t)(p->memory - 1) * sizeof(*history));
    history[p->memory - 1] = sum;
}

TH_INLINE void th_svdf_f32_one(const th_svdf_f32_params *p, const float *input, const float *weights,
                               const float *time, const float *bias, float *history, float *output)
{
    for (int32_t u = 0; u < p->units; u++) {
        float sum = bias ? bias[u] : 0;
        for (int32_t r = 0; r < p->rank; r++) {
            th_svdf_f32_feature(p, input, weights, history);
            for (int32_t m = 0; m < p->memory; m++) {
                sum += history[m] * time[m];
            }
            weights += p->inputs;
            time += p->memory;
            history += p->memory;
        }
        output[u] = th_clampf(sum, p->min, p->max);
    }
}

TH_KERNEL void th_svdf_f32(const th_svdf_f32_params *p, const float *input, const float *weights, const float *time,
                           const float *bias, float *state, float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        th_svdf_f32_one(p, input, weights, time, bias, state, output);
        input += p->inputs;
        state += p->units * p->rank * p->memory;
        output += p->units;
    }
}

#endif
