/* The GRU of th_gru_steps.h, int8, in plain C. */
#ifndef TH_GRU_S8_H
#define TH_GRU_S8_H

#include "th_gru_s8.h"

TH_RECURRENT_DEFINE_S8(th_gru_from_zero_s8, th_gru_all_s8, th_recurrent_rows_s8)

#endif
