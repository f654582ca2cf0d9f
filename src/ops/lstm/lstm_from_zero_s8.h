/* The LSTM of th_lstm_from_zero_steps.h, int8, in plain C. */
#ifndef TH_LSTM_FROM_ZERO_S8_H
#define TH_LSTM_FROM_ZERO_S8_H

#include "th_lstm_from_zero_s8.h"

TH_RECURRENT_DEFINE_S8(th_lstm_from_zero_s8, th_lstm_from_zero_all_s8, th_recurrent_rows_s8)

#endif
