/* The GRU of th_gru_s8.h in plain C. */
#ifndef TH_GRU_S8_H
#define TH_GRU_S8_H

#include "th_gru_s8.h"

TH_GRU_S8_DEFINE(th_gru_from_zero_s8, th_recurrent_dots_s8)

#endif
