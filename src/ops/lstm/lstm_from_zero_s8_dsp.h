/* The LSTM of th_lstm_from_zero_s8.h for cores with the DSP instructions. */
#ifndef TH_LSTM_FROM_ZERO_S8_DSP_H
#define TH_LSTM_FROM_ZERO_S8_DSP_H

#include "th_lstm_from_zero_s8.h"
#include "th_recurrent_s8_dsp.h"

TH_LSTM_FROM_ZERO_S8_DEFINE(th_lstm_from_zero_s8_dsp, th_recurrent_dots_s8_dsp)

#endif
