#ifndef TH_LSTM_PARAMS_H
#define TH_LSTM_PARAMS_H

#include "th_base.h"

/* Gates lie in the order input, forget, cell, output. */
typedef struct {
    int32_t batch, steps, inputs, units;
    int32_t batch_stride, step_stride; /* of input and output, in vectors */
    int32_t in_zero, hidden_zero;
    int32_t cell_clip; /* 0: none */
    int32_t input_multiplier[4], input_shift[4];
    int32_t recurrent_multiplier[4], recurrent_shift[4];
    int32_t forget_multiplier, forget_shift; /* forget gate x cell state */
    int32_t update_multiplier, update_shift; /* input gate x cell gate */
    int32_t hidden_multiplier, hidden_shift; /* output gate x tanh of the cell state */
    int32_t tanh_multiplier, tanh_shift;     /* brings the cell state to the table's units */
    int32_t min, max;                        /* of the hidden state's type */
} th_lstm_params;

#endif
