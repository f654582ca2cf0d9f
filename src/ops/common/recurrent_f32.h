/*
 * Recurrent layers over a sequence, float32: LSTM, GRU and a plain one.
 * input [steps][batch][inputs], weights [gates][units][inputs], recurrent [gates][units][units],
 * bias [2][gates][units] (of both products) or NULL, initial hidden and cell [batch][units] or NULL for zeros,
 * scratch: 4 * units floats, output [steps][batch][units], last_hidden and last_cell [batch][units].
 * Gates are in ONNX's order: input, output, forget, cell; update, reset, hidden.
 */
#ifndef TH_RECURRENT_F32_H
#define TH_RECURRENT_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t steps, batch, inputs, units;
    int32_t reverse;             /* 1: from the last step to the first */
    int32_t linear_before_reset; /* GRU: the reset gate scales the recurrent sum, not the state */
    int32_t relu;                /* RNN: 1 for a rectifier in place of tanh */
    float clip;                  /* of what goes into an activation; 0: none */
} th_recurrent_params;

TH_INLINE float th_recurrent_clip(const th_recurrent_params *p, float x)
{
    return p->clip > 0.0f ? th_clampf(x, -p->clip, p->clip) : x;
}

TH_INLINE float th_recurrent_logistic(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* Row `row` of a matrix of `n` columns times a vector. */
TH_INLINE float th_recurrent_dot(const float *matrix, int32_t row, const float *x, int32_t n)
{
    float sum = 0.0f;
    matrix += row * n;
    for (int32_t i = 0; i < n; i++) {
        sum += matrix[i] * x[i];
    }
    return sum;
}

/* The state before the first step. */
TH_INLINE void th_recurrent_start(const th_recurrent_params *p, const float *initial, float *state)
{
    for (int32_t i = 0; i < p->batch * p->units; i++) {
        state[i] = initial ? initial[i] : 0.0f;
    }
}

/* The vector of step `k` of sequence `n`. */
TH_INLINE int32_t th_recurrent_vector(const th_recurrent_params *p, int32_t k, int32_t n)
{
    return (p->reverse ? p->steps - 1 - k : k) * p->batch + n;
}

/* Rows [first, first + count) of both products with their biases, into sums. */
TH_INLINE void th_recurrent_sums(const th_recurrent_params *p, int32_t rows, int32_t first, int32_t count, const float *x,
                                 const float *weights, const float *recurrent, const float *bias, const float *hidden,
                                 float *sums)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t row = first + i;
        sums[i] = th_recurrent_dot(weights, row, x, p->inputs) + th_recurrent_dot(recurrent, row, hidden, p->units);
        if (bias) {
            sums[i] += bias[row] + bias[rows + row];
        }
    }
}

TH_KERNEL void th_recurrent_lstm_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                     const float *recurrent, const float *bias, const float *initial_hidden,
                                     const float *initial_cell, const float *peepholes, void *scratch, float *output,
                                     float *last_hidden, float *last_cell)
{
    const int32_t units = p->units;
    float *sums = (float *)scratch;
    th_recurrent_start(p, initial_hidden, last_hidden);
    th_recurrent_start(p, initial_cell, last_cell);
    for (int32_t k = 0; k < p->steps; k++) {
        for (int32_t n = 0; n < p->batch; n++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            float *hidden = last_hidden + n * units;
            float *cell = last_cell + n * units;
            th_recurrent_sums(p, 4 * units, 0, 4 * units, input + vector * p->inputs, weights, recurrent, bias, hidden,
                              sums);
            for (int32_t u = 0; u < units; u++) {
                float in = sums[u];
                float out = sums[units + u];
                float forget = sums[2 * units + u];
                if (peepholes) {
                    in += peepholes[u] * cell[u];
                    forget += peepholes[2 * units + u] * cell[u];
                }
                cell[u] = th_recurrent_logistic(th_recurrent_clip(p, forget)) * cell[u] +
                          th_recurrent_logistic(th_recurrent_clip(p, in)) *
                              tanhf(th_recurrent_clip(p, sums[3 * units + u]));
                if (peepholes) {
                    out += peepholes[units + u] * cell[u];
                }
                hidden[u] = th_recurrent_logistic(th_recurrent_clip(p, out)) * tanhf(cell[u]);
            }
            memcpy(output + vector * units, hidden, (size_t)units * sizeof(float));
        }
    }
}

TH_KERNEL void th_recurrent_gru_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                    const float *recurrent, const float *bias, const float *initial_hidden,
                                    void *scratch, float *output, float *last_hidden)
{
    const int32_t units = p->units;
    const int32_t rows = 3 * units;
    float *gates = (float *)scratch; /* update, reset */
    float *scaled = gates + 2 * units;
    float *candidate = gates + 3 * units;
    th_recurrent_start(p, initial_hidden, last_hidden);
    for (int32_t k = 0; k < p->steps; k++) {
        for (int32_t n = 0; n < p->batch; n++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            const float *x = input + vector * p->inputs;
            float *hidden = last_hidden + n * units;
            th_recurrent_sums(p, rows, 0, 2 * units, x, weights, recurrent, bias, hidden, gates);
            for (int32_t u = 0; u < 2 * units; u++) {
                gates[u] = th_recurrent_logistic(th_recurrent_clip(p, gates[u]));
            }
            for (int32_t u = 0; u < units; u++) {
                scaled[u] = p->linear_before_reset ? hidden[u] : gates[units + u] * hidden[u];
            }
            for (int32_t u = 0; u < units; u++) {
                const int32_t row = 2 * units + u;
                float given = th_recurrent_dot(weights, row, x, p->inputs);
                float past = th_recurrent_dot(recurrent, row, scaled, units);
                if (bias) {
                    given += bias[row];
                    past += bias[rows + row];
                }
                if (p->linear_before_reset) {
                    past *= gates[units + u];
                }
                candidate[u] = tanhf(th_recurrent_clip(p, given + past));
            }
            for (int32_t u = 0; u < units; u++) {
                hidden[u] = (1.0f - gates[u]) * candidate[u] + gates[u] * hidden[u];
            }
            memcpy(output + vector * units, hidden, (size_t)units * sizeof(float));
        }
    }
}

TH_KERNEL void th_recurrent_rnn_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                    const float *recurrent, const float *bias, const float *initial_hidden,
                                    void *scratch, float *output, float *last_hidden)
{
    const int32_t units = p->units;
    float *sums = (float *)scratch;
    th_recurrent_start(p, initial_hidden, last_hidden);
    for (int32_t k = 0; k < p->steps; k++) {
        for (int32_t n = 0; n < p->batch; n++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            float *hidden = last_hidden + n * units;
            th_recurrent_sums(p, units, 0, units, input + vector * p->inputs, weights, recurrent, bias, hidden, sums);
            for (int32_t u = 0; u < units; u++) {
                const float x = th_recurrent_clip(p, sums[u]);
                hidden[u] = p->relu ? (x > 0.0f ? x : 0.0f) : tanhf(x);
            }
            memcpy(output + vector * units, hidden, (size_t)units * sizeof(float));
        }
    }
}

#endif
