/* The LSTM of th_lstm_from_zero_steps.h, int16 with int8 weights, in plain C. */
#ifndef TH_LSTM_FROM_ZERO_S16_H
#define TH_LSTM_FROM_ZERO_S16_H

#include "th_lstm_from_zero_unit.h"
#include "th_recurrent_s16.h"

#define TH_TYPE s16
#include "th_lstm_from_zero_steps.h"
#undef TH_TYPE

TH_RECURRENT_DEFINE_S16(th_lstm_from_zero_s16, th_lstm_from_zero_all_s16, th_recurrent_rows_s16)

#endif
