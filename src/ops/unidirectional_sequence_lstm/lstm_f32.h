/*
 * LSTM over a sequence, float32.
 * input [batch][steps][inputs] or [steps][batch][inputs], weights [4][units][inputs], recurrent [4][units][units],
 * bias [4][units] (gates in the order input, forget, cell, output), hidden and cell [batch][units],
 * gates: scratch of 4 * units elements, output like input with units in place of inputs.
 */
#ifndef TH_LSTM_F32_H
#define TH_LSTM_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t batch, steps, inputs, units;
    int32_t batch_stride, step_stride; /* of input and output, in vectors */
    float cell_clip;                   /* 0: none */
} th_lstm_f32_params;

TH_INLINE float th_lstm_f32_logistic(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

TH_INLINE void th_lstm_f32_step(const th_lstm_f32_params *p, const float *input, const float *weights,
                                const float *recurrent, const float *bias, float *hidden, float *cell, float *gates)
{
    for (int32_t row = 0; row < 4 * p->units; row++) {
        float sum = bias[row];
        for (int32_t i = 0; i < p->inputs; i++) {
            sum += input[i] * weights[row * p->inputs + i];
        }
        for (int32_t i = 0; i < p->units; i++) {
            sum += hidden[i] * recurrent[row * p->units + i];
        }
        gates[row] = sum;
    }
    for (int32_t u = 0; u < p->units; u++) {
        const float in = th_lstm_f32_logistic(gates[u]);
        const float forget = th_lstm_f32_logistic(gates[p->units + u]);
        const float candidate = tanhf(gates[2 * p->units + u]);
        const float out = th_lstm_f32_logistic(gates[3 * p->units + u]);
        float sum = forget * cell[u] + in * candidate;
        if (p->cell_clip > 0.0f) {
            sum = th_clampf(sum, -p->cell_clip, p->cell_clip);
        }
        cell[u] = sum;
        hidden[u] = out * tanhf(sum);
    }
}

TH_KERNEL void th_lstm_f32(const th_lstm_f32_params *p, const float *input, const float *weights,
                           const float *recurrent, const float *bias, float *hidden, float *cell, void *scratch,
                           float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t vector = n * p->batch_stride + step * p->step_stride;
            th_lstm_f32_step(p, input + vector * p->inputs, weights, recurrent, bias, hidden, cell, (float *)scratch);
            memcpy(output + vector * p->units, hidden, (size_t)p->units * sizeof(*output));
        }
        hidden += p->units;
        cell += p->units;
    }
}

#endif
