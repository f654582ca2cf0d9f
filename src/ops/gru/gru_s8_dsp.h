/* The GRU of th_gru_steps.h, int8, for cores with the DSP instructions. */
#ifndef TH_GRU_S8_DSP_H
#define TH_GRU_S8_DSP_H

#include "th_gru_s8.h"
#include "th_recurrent_s8_dsp.h"

TH_RECURRENT_DEFINE_DSP(th_gru_from_zero_s8_dsp, th_gru_all_s8)

#endif
