/*
 * LSTM over a sequence: int8 activations and state, int8 weights, int16 cell state (scale a power of two);
 * bit-exact with lstmReference.
 * input [batch][steps][inputs] or [steps][batch][inputs], weights [4][units][inputs], recurrent [4][units][units],
 * bias [4][units], table of th_sigmoid_s16, hidden and cell [batch][units], gates: scratch of 4 * units elements,
 * output like input with units in place of inputs.
 */
#ifndef TH_TH_LSTM_S8_H
#define TH_TH_LSTM_S8_H

#include "lstm_params.h"
#include "sigmoid_s16.h"
#include "th_fixedpoint.h"

TH_INLINE int32_t th_lstm_s8_clamp16(int32_t x)
{
    return th_clamp(x, INT16_MIN, INT16_MAX);
}

/* Adds to two sums the products of n values, less their zero point, with two rows of weights that follow each other. */
typedef void th_lstm_s8_dots(const int8_t *values, const int8_t *weights, int32_t n, int32_t zero, int32_t *sums);

/* The four gates of one vector before their activations, each with 12 bits after the point. */
typedef void th_lstm_s8_gates_of(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                 const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates);

TH_INLINE void th_lstm_s8_all_gates(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                    const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates,
                                    th_lstm_s8_dots *dots)
{
    const int32_t units = p->units;
    int32_t gate = 0;
    int32_t end = units;
    for (int32_t pair = 0; pair < 4 * units; pair += 2) {
        int32_t sums[2] = {bias[pair], bias[pair + 1]};
        int32_t back[2] = {0, 0};
        dots(input, weights, p->inputs, p->in_zero, sums);
        dots(hidden, recurrent, units, p->hidden_zero, back);
        weights += 2 * p->inputs;
        recurrent += 2 * units;
        for (int32_t i = 0; i < 2; i++) {
            if (pair + i == end) {
                gate++;
                end += units;
            }
            const int32_t from_input = th_requantize(sums[i], p->input_multiplier[gate], p->input_shift[gate]);
            const int32_t from_hidden = th_requantize(back[i], p->recurrent_multiplier[gate], p->recurrent_shift[gate]);
            gates[pair + i] =
                (int16_t)th_lstm_s8_clamp16(th_lstm_s8_clamp16(from_input) + th_lstm_s8_clamp16(from_hidden));
        }
    }
}

/* One time step of one sequence. */
TH_INLINE void th_lstm_s8_step(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                               const int8_t *recurrent, const int32_t *bias, const int16_t *table, int8_t *hidden,
                               int16_t *cell, int16_t *gates, th_lstm_s8_gates_of *gates_of)
{
    const th_sigmoid_s16_params gate_scale = {p->units, 3, 0};
    const th_sigmoid_s16_params cell_scale = {p->units, p->tanh_multiplier, p->tanh_shift};
    int16_t *const forget = gates + p->units;
    int16_t *const candidate = forget + p->units;
    int16_t *const out = candidate + p->units;
    gates_of(p, input, weights, recurrent, bias, hidden, gates);
    th_logistic_s16(&gate_scale, gates, table, gates);
    th_logistic_s16(&gate_scale, forget, table, forget);
    th_tanh_s16(&gate_scale, candidate, table, candidate);
    th_logistic_s16(&gate_scale, out, table, out);
    for (int32_t u = 0; u < p->units; u++) {
        const int32_t kept = th_requantize(forget[u] * cell[u], p->forget_multiplier, p->forget_shift);
        const int32_t added = th_requantize(gates[u] * candidate[u], p->update_multiplier, p->update_shift);
        int32_t sum = th_lstm_s8_clamp16(th_lstm_s8_clamp16(kept) + th_lstm_s8_clamp16(added));
        if (p->cell_clip > 0) {
            sum = th_clamp(sum, -p->cell_clip, p->cell_clip);
        }
        cell[u] = (int16_t)sum;
    }
    th_tanh_s16(&cell_scale, cell, table, candidate);
    for (int32_t u = 0; u < p->units; u++) {
        const int32_t value = th_requantize(candidate[u] * out[u], p->hidden_multiplier, p->hidden_shift);
        hidden[u] = (int8_t)th_clamp(value + p->hidden_zero, p->min, p->max);
    }
}

TH_INLINE void th_lstm_s8_sequences(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                    const int8_t *recurrent, const int32_t *bias, const int16_t *table, int8_t *hidden,
                                    int16_t *cell, void *scratch, int8_t *output, th_lstm_s8_gates_of *gates_of)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t vector = n * p->batch_stride + step * p->step_stride;
            th_lstm_s8_step(p, input + vector * p->inputs, weights, recurrent, bias, table, hidden, cell,
                           (int16_t *)scratch, gates_of);
            memcpy(output + vector * p->units, hidden, (size_t)p->units * sizeof(*output));
        }
        hidden += p->units;
        cell += p->units;
    }
}

/* The kernel `name` whose sums of products `dots` computes. */
#define TH_LSTM_S8_DEFINE(name, dots)                                                                                  \
    TH_ROW void name##_gates(const th_lstm_params *p, const int8_t *input, const int8_t *weights,                      \
                             const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates)       \
    {                                                                                                                  \
        th_lstm_s8_all_gates(p, input, weights, recurrent, bias, hidden, gates, dots);                                 \
    }                                                                                                                  \
    TH_KERNEL void name(const th_lstm_params *p, const int8_t *input, const int8_t *weights, const int8_t *recurrent,  \
                        const int32_t *bias, const int16_t *table, int8_t *hidden, int16_t *cell, void *scratch,       \
                        int8_t *output)                                                                                \
    {                                                                                                                  \
        th_lstm_s8_sequences(p, input, weights, recurrent, bias, table, hidden, cell, scratch, output, name##_gates);  \
    }

#endif
