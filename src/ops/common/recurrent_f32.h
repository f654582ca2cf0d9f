/*
 * Recurrent layers over a sequence, float32: LSTM, GRU and a plain one.
 * input [steps][batch][inputs] or batch first, weights [gates][units][inputs], recurrent [gates][units][units],
 * bias and recurrent_bias [gates][units] or NULL, initial hidden and cell [batch][units] or NULL for zeros,
 * scratch: as many vectors of units floats as each function says, output like input with units in place of inputs,
 * last_hidden and last_cell [batch][units]; outputs that nobody wants are NULL.
 * Gates are in ONNX's order: input, output, forget, cell; update, reset, hidden.
 */
#ifndef TH_RECURRENT_F32_H
#define TH_RECURRENT_F32_H

#include <math.h>

#include "th_base.h"

typedef struct {
    int32_t steps, batch, inputs, units;
    int32_t batch_stride, step_stride; /* of input and output, in vectors */
    int32_t reverse;                   /* 1: from the last step to the first */
    int32_t linear_before_reset;       /* GRU: the reset gate scales the recurrent sum, not the state */
    int32_t relu;                      /* RNN: 1 for a rectifier in place of tanh */
    float clip;                        /* of what goes into an activation; 0: none */
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

/* The state of sequence `n` before the first step. */
TH_INLINE void th_recurrent_start(const th_recurrent_params *p, int32_t n, const float *initial, float *state)
{
    for (int32_t u = 0; u < p->units; u++) {
        state[u] = initial ? initial[n * p->units + u] : 0.0f;
    }
}

/* The vector of step `k` of sequence `n`. */
TH_INLINE int32_t th_recurrent_vector(const th_recurrent_params *p, int32_t k, int32_t n)
{
    return n * p->batch_stride + (p->reverse ? p->steps - 1 - k : k) * p->step_stride;
}

/* A state given out as vector `vector` of an output, if there is one. */
TH_INLINE void th_recurrent_put(const th_recurrent_params *p, const float *state, int32_t vector, float *output)
{
    if (output) {
        memcpy(output + vector * p->units, state, (size_t)p->units * sizeof(float));
    }
}

/* Rows [first, first + count) of both products with their biases, into sums. */
TH_INLINE void th_recurrent_sums(const th_recurrent_params *p, int32_t first, int32_t count, const float *x,
                                 const float *weights, const float *recurrent, const float *bias,
                                 const float *recurrent_bias, const float *hidden, float *sums)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t row = first + i;
        sums[i] = th_recurrent_dot(weights, row, x, p->inputs) + th_recurrent_dot(recurrent, row, hidden, p->units);
        sums[i] += (bias ? bias[row] : 0.0f) + (recurrent_bias ? recurrent_bias[row] : 0.0f);
    }
}

/* scratch: 6 vectors. */
TH_KERNEL void th_recurrent_lstm_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                     const float *recurrent, const float *bias, const float *recurrent_bias,
                                     const float *initial_hidden, const float *initial_cell, const float *peepholes,
                                     void *scratch, float *output, float *last_hidden, float *last_cell)
{
    const int32_t units = p->units;
    float *const sums = (float *)scratch;
    float *const hidden = sums + 4 * units;
    float *const cell = hidden + units;
    for (int32_t n = 0; n < p->batch; n++) {
        th_recurrent_start(p, n, initial_hidden, hidden);
        th_recurrent_start(p, n, initial_cell, cell);
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            th_recurrent_sums(p, 0, 4 * units, input + vector * p->inputs, weights, recurrent, bias, recurrent_bias,
                              hidden, sums);
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
            th_recurrent_put(p, hidden, vector, output);
        }
        th_recurrent_put(p, hidden, n, last_hidden);
        th_recurrent_put(p, cell, n, last_cell);
    }
}

/* One step. gates: update and reset, then the state as the candidate's product takes it, then the candidate. */
TH_INLINE void th_recurrent_gru_step(const th_recurrent_params *p, const float *x, const float *weights,
                                     const float *recurrent, const float *bias, const float *recurrent_bias,
                                     float *gates, float *hidden)
{
    const int32_t units = p->units;
    float *const scaled = gates + 2 * units;
    float *const candidate = gates + 3 * units;
    th_recurrent_sums(p, 0, 2 * units, x, weights, recurrent, bias, recurrent_bias, hidden, gates);
    for (int32_t u = 0; u < 2 * units; u++) {
        gates[u] = th_recurrent_logistic(th_recurrent_clip(p, gates[u]));
    }
    for (int32_t u = 0; u < units; u++) {
        scaled[u] = p->linear_before_reset ? hidden[u] : gates[units + u] * hidden[u];
    }
    for (int32_t u = 0; u < units; u++) {
        const int32_t row = 2 * units + u;
        const float given = th_recurrent_dot(weights, row, x, p->inputs) + (bias ? bias[row] : 0.0f);
        float past = th_recurrent_dot(recurrent, row, scaled, units) + (recurrent_bias ? recurrent_bias[row] : 0.0f);
        if (p->linear_before_reset) {
            past *= gates[units + u];
        }
        candidate[u] = tanhf(th_recurrent_clip(p, given + past));
    }
    for (int32_t u = 0; u < units; u++) {
        hidden[u] = (1.0f - gates[u]) * candidate[u] + gates[u] * hidden[u];
    }
}

/* scratch: 5 vectors. */
TH_KERNEL void th_recurrent_gru_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                    const float *recurrent, const float *bias, const float *recurrent_bias,
                                    const float *initial_hidden, void *scratch, float *output, float *last_hidden)
{
    float *const gates = (float *)scratch;
    float *const hidden = gates + 4 * p->units;
    for (int32_t n = 0; n < p->batch; n++) {
        th_recurrent_start(p, n, initial_hidden, hidden);
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            th_recurrent_gru_step(p, input + vector * p->inputs, weights, recurrent, bias, recurrent_bias, gates,
                                  hidden);
            th_recurrent_put(p, hidden, vector, output);
        }
        th_recurrent_put(p, hidden, n, last_hidden);
    }
}

/* scratch: 2 vectors. */
TH_KERNEL void th_recurrent_rnn_f32(const th_recurrent_params *p, const float *input, const float *weights,
                                    const float *recurrent, const float *bias, const float *recurrent_bias,
                                    const float *initial_hidden, void *scratch, float *output, float *last_hidden)
{
    float *const sums = (float *)scratch;
    float *const hidden = sums + p->units;
    for (int32_t n = 0; n < p->batch; n++) {
        th_recurrent_start(p, n, initial_hidden, hidden);
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_vector(p, k, n);
            th_recurrent_sums(p, 0, p->units, input + vector * p->inputs, weights, recurrent, bias, recurrent_bias,
                              hidden, sums);
            for (int32_t u = 0; u < p->units; u++) {
                const float x = th_recurrent_clip(p, sums[u]);
                hidden[u] = p->relu ? (x > 0.0f ? x : 0.0f) : tanhf(x);
            }
            th_recurrent_put(p, hidden, vector, output);
        }
        th_recurrent_put(p, hidden, n, last_hidden);
    }
}

#endif
