/* The LSTM of th_lstm_s8.h in plain C. */
#ifndef TH_LSTM_S8_H
#define TH_LSTM_S8_H

#include "th_lstm_s8.h"

TH_INLINE void th_lstm_dots_s8(const int8_t *values, const int8_t *weights, int32_t n, int32_t zero, int32_t *sums)
{
    int32_t first = 0;
    int32_t second = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = values[i] - zero;
        first += value * weights[i];
        second += value * weights[n + i];
    }
    sums[0] += first;
    sums[1] += second;
}

TH_LSTM_S8_DEFINE(th_lstm_s8, th_lstm_dots_s8)

#endif
