/* LSTM over a sequence: int8 activations, hidden state and weights; see th_lstm_steps.h. */
#ifndef TH_TH_LSTM_S8_H
#define TH_TH_LSTM_S8_H

#include "th_lstm.h"

typedef int8_t th_lstm_value_s8;
typedef int32_t th_lstm_bias_s8;

#define TH_TYPE s8
#include "th_lstm_steps.h"
#undef TH_TYPE

/* Adds to two sums the products of n values, less their zero point, with two rows of weights that follow each other. */
typedef void th_lstm_s8_dots(const int8_t *values, const int8_t *weights, int32_t n, int32_t zero, int32_t *sums);

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
                (int16_t)th_lstm_clamp16(th_lstm_clamp16(from_input) + th_lstm_clamp16(from_hidden));
        }
    }
}

/* The kernel `name` with the gates of a function of their own, and the states of `states`. */
#define TH_LSTM_S8_KERNEL(name, gates, states)                                                                         \
    TH_KERNEL void name(const th_lstm_params *p, const int8_t *input, const int8_t *weights, const int8_t *recurrent,  \
                        const int32_t *bias, const int16_t *table, int8_t *hidden, int16_t *cell, void *scratch,       \
                        int8_t *output)                                                                                \
    {                                                                                                                  \
        th_lstm_sequences_s8(p, input, weights, recurrent, bias, table, hidden, cell, scratch, output, gates, states); \
    }

/* The kernel `name` whose sums of products `dots` computes. */
#define TH_LSTM_S8_DEFINE(name, dots)                                                                                  \
    TH_ROW void name##_gates(const th_lstm_params *p, const int8_t *input, const int8_t *weights,                      \
                             const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates)       \
    {                                                                                                                  \
        th_lstm_s8_all_gates(p, input, weights, recurrent, bias, hidden, gates, dots);                                 \
    }                                                                                                                  \
    TH_LSTM_S8_KERNEL(name, name##_gates, th_lstm_states_s8)

#endif
