/* LSTM over a sequence: int16 activations and hidden state, int8 weights, 64-bit sums; see th_lstm_steps.h. */
#ifndef TH_LSTM_S16_H
#define TH_LSTM_S16_H

#include "th_lstm.h"

typedef int16_t th_lstm_value_s16;
typedef int64_t th_lstm_bias_s16;

#define TH_TYPE s16
#include "th_lstm_steps.h"
#undef TH_TYPE

/* The four gates of one vector before their activations, each with 12 bits after the point. */
TH_ROW void th_lstm_s16_gates(const th_lstm_params *p, const int16_t *input, const int8_t *weights,
                              const int8_t *recurrent, const int64_t *bias, const int16_t *hidden, int16_t *gates)
{
    const int32_t units = p->units;
    const int32_t inputs = p->inputs;
    for (int32_t gate = 0; gate < 4; gate++) {
        for (int32_t u = 0; u < units; u++) {
            const int32_t row = gate * units + u;
            int64_t sum = bias[row];
            int64_t back = 0;
            for (int32_t i = 0; i < inputs; i++) {
                sum += input[i] * weights[row * inputs + i];
            }
            for (int32_t i = 0; i < units; i++) {
                back += hidden[i] * recurrent[row * units + i];
            }
            const int32_t from_input = th_requantize64(sum, p->input_multiplier[gate], p->input_shift[gate]);
            const int32_t from_hidden = th_requantize64(back, p->recurrent_multiplier[gate], p->recurrent_shift[gate]);
            gates[row] =
                (int16_t)th_lstm_clamp16(th_lstm_clamp16(from_input) + th_lstm_clamp16(from_hidden));
        }
    }
}

TH_KERNEL void th_lstm_s16(const th_lstm_params *p, const int16_t *input, const int8_t *weights,
                           const int8_t *recurrent, const int64_t *bias, const int16_t *table, int16_t *hidden,
                           int16_t *cell, void *scratch, int16_t *output)
{
    th_lstm_sequences_s16(p, input, weights, recurrent, bias, table, hidden, cell, scratch, output, th_lstm_s16_gates,
                          th_lstm_states_s16);
}

#endif
