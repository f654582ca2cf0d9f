/* th_lstm_from_zero_steps.h for int8. */
#ifndef TH_TH_LSTM_FROM_ZERO_S8_H
#define TH_TH_LSTM_FROM_ZERO_S8_H

#include "th_lstm_from_zero_unit.h"
#include "th_recurrent_s8.h"

#define TH_TYPE s8
#include "th_lstm_from_zero_steps.h"
#undef TH_TYPE

#endif
