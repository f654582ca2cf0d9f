/*
 * LSTM over a sequence: int8 activations and state, int8 weights, int16 cell state (scale a power of two);
 * bit-exact with lstmReference.
 * input [batch][steps][inputs] or [steps][batch][inputs], weights [4][units][inputs], recurrent [4][units][units],
 * bias [4][units], table of th_sigmoid_s16, hidden and cell [batch][units], gates: scratch of 4 * units elements,
 * output like input with units in place of inputs.
 */
#ifndef TH_LSTM_S8_H
#define TH_LSTM_S8_H

#include "lstm_params.h"
#include "sigmoid_s16.h"
#include "th_fixedpoint.h"

TH_INLINE int32_t th_lstm_s8_clamp16(int32_t x)
{
    return th_clamp(x, INT16_MIN, INT16_MAX);
}

/* The four gates of one vector before their activations, each with 12 bits after the point. */
TH_ROW void th_lstm_s8_gates(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates)
{
    const int32_t units = p->units;
    const int32_t inputs = p->inputs;
    const int32_t in_zero = p->in_zero;
    const int32_t hidden_zero = p->hidden_zero;
    for (int32_t gate = 0; gate < 4; gate++) {
        for (int32_t u = 0; u < units; u++) {
            const int32_t row = gate * units + u;
            int32_t sum = bias[row];
            int32_t back = 0;
            for (int32_t i = 0; i < inputs; i++) {
                sum += (input[i] - in_zero) * weights[row * inputs + i];
            }
            for (int32_t i = 0; i < units; i++) {
                back += (hidden[i] - hidden_zero) * recurrent[row * units + i];
            }
            const int32_t from_input = th_requantize(sum, p->input_multiplier[gate], p->input_shift[gate]);
            const int32_t from_hidden = th_requantize(back, p->recurrent_multiplier[gate], p->recurrent_shift[gate]);
            gates[row] =
                (int16_t)th_lstm_s8_clamp16(th_lstm_s8_clamp16(from_input) + th_lstm_s8_clamp16(from_hidden));
        }
    }
}

/* One time step of one sequence. */
TH_INLINE void th_lstm_s8_step(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                               const int8_t *recurrent, const int32_t *bias, const int16_t *table, int8_t *hidden,
                               int16_t *cell, int16_t *gates)
{
    const th_sigmoid_s16_params gate_scale = {p->units, 3, 0};
    const th_sigmoid_s16_params cell_scale = {p->units, p->tanh_multiplier, p->tanh_shift};
    int16_t *const forget = gates + p->units;
    int16_t *const candidate = forget + p->units;
    int16_t *const out = candidate + p->units;
    th_lstm_s8_gates(p, input, weights, recurrent, bias, hidden, gates);
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

TH_KERNEL void th_lstm_s8(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                          const int8_t *recurrent, const int32_t *bias, const int16_t *table, int8_t *hidden,
                          int16_t *cell, void *scratch, int8_t *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t vector = n * p->batch_stride + step * p->step_stride;
            th_lstm_s8_step(p, input + vector * p->inputs, weights, recurrent, bias, table, hidden, cell,
                           (int16_t *)scratch);
            memcpy(output + vector * p->units, hidden, (size_t)p->units * sizeof(*output));
        }
        hidden += p->units;
        cell += p->units;
    }
}

#endif
