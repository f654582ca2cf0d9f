/*
 * SVDF (Nakkiran et al. 2015), int8; bit-exact with svdfReference.
 * input [batch][inputs], weights [units * rank][inputs], time [units * rank][memory], bias [units] or NULL,
 * state [batch][units * rank][memory], oldest first, output [batch][units].
 */
#ifndef TH_SVDF_S8_H
#define TH_SVDF_S8_H

#include "svdf_params.h"
#include "th_fixedpoint.h"

/* Drops the oldest entry of one filter's history and appends the new feature. */
TH_INLINE void th_svdf_s8_feature(const th_svdf_params *p, const int8_t *input, const int8_t *weights,
                                  int8_t *history)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < p->inputs; i++) {
        sum += (input[i] - p->in_zero) * weights[i];
    }
    memmove(history, history + 1, (size_t)(p->memory - 1) * sizeof(*history));
    const int32_t value = th_requantize(sum, p->feature_multiplier, p->feature_shift) + p->state_zero;
    history[p->memory - 1] = (int8_t)th_clamp(value, INT8_MIN, INT8_MAX);
}

TH_INLINE void th_svdf_s8_one(const th_svdf_params *p, const int8_t *input, const int8_t *weights, const int8_t *time,
                              const int32_t *bias, int8_t *history, int8_t *output)
{
    for (int32_t u = 0; u < p->units; u++) {
        int32_t sum = bias ? bias[u] : 0;
        for (int32_t r = 0; r < p->rank; r++) {
            th_svdf_s8_feature(p, input, weights, history);
            for (int32_t m = 0; m < p->memory; m++) {
                sum += (history[m] - p->state_zero) * time[m];
            }
            weights += p->inputs;
            time += p->memory;
            history += p->memory;
        }
        const int32_t value = th_requantize(sum, p->time_multiplier, p->time_shift) + p->out_zero;
        output[u] = (int8_t)th_clamp(value, INT8_MIN, INT8_MAX);
    }
}

TH_KERNEL void th_svdf_s8(const th_svdf_params *p, const int8_t *input, const int8_t *weights, const int8_t *time,
                          const int32_t *bias, int8_t *state, int8_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        th_svdf_s8_one(p, input, weights, time, bias, state, output);
        input += p->inputs;
        state += p->units * p->rank * p->memory;
        output += p->units;
    }
}

#endif
