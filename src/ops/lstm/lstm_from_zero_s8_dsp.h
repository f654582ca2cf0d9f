/* The LSTM of th_lstm_from_zero_steps.h, int8, for cores with the DSP instructions. */
#ifndef TH_LSTM_FROM_ZERO_S8_DSP_H
#define TH_LSTM_FROM_ZERO_S8_DSP_H

#include "th_lstm_from_zero_s8.h"
#include "th_recurrent_s8_dsp.h"

TH_RECURRENT_DEFINE_DSP(th_lstm_from_zero_s8_dsp, th_lstm_from_zero_all_s8)

#endif
