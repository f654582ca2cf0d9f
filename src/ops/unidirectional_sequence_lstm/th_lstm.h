/* What kernels of an LSTM with 16-bit cell state share, whatever the type of the hidden state. */
#ifndef TH_LSTM_H
#define TH_LSTM_H

#include "lstm_params.h"
#include "sigmoid_s16.h"
#include "th_fixedpoint.h"
#include "th_name.h"

TH_INLINE int32_t th_lstm_clamp16(int32_t x)
{
    return th_clamp(x, INT16_MIN, INT16_MAX);
}

#endif
