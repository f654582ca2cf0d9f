/* th_gru_steps.h for int8. */
#ifndef TH_TH_GRU_S8_H
#define TH_TH_GRU_S8_H

#include "th_recurrent_s8.h"

#define TH_TYPE s8
#include "th_gru_steps.h"
#undef TH_TYPE

#endif
