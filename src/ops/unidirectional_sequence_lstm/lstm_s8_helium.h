/* The LSTM of th_lstm_s8.h for Helium: eight products of each of two rows in six instructions. */
#ifndef TH_LSTM_S8_HELIUM_H
#define TH_LSTM_S8_HELIUM_H

#include "th_helium.h"
#include "th_lstm_s8.h"

#if TH_HELIUM

TH_INLINE void th_lstm_dots_s8_helium(const int8_t *values, const int8_t *weights, int32_t n, int32_t zero,
                                      int32_t *sums)
{
    const int8_t *others = weights + n;
    int32_t first = sums[0];
    int32_t second = sums[1];
    /* Beyond the end values load as 0, so do weights: what the zero point adds there is multiplied by 0. */
    __asm__ volatile("wlstp.16 lr, %[n], 1f\n"
                     "0:\n"
                     "vldrb.s16 q0, [%[v]], #8\n"
                     "vldrb.s16 q1, [%[w]], #8\n"
                     "vsub.i16 q0, q0, %[zero]\n"
                     "vldrb.s16 q2, [%[o]], #8\n"
                     "vmladava.s16 %[first], q0, q1\n"
                     "vmladava.s16 %[second], q0, q2\n"
                     "letp lr, 0b\n"
                     "1:"
                     : [v] "+l"(values), [w] "+l"(weights), [o] "+l"(others), [first] "+Te"(first),
                       [second] "+Te"(second)
                     : [n] "r"(n), [zero] "r"(zero)
                     : "lr", "q0", "q1", "q2", "memory");
    sums[0] = first;
    sums[1] = second;
}

#else

TH_INLINE void th_lstm_dots_s8_helium(const int8_t *values, const int8_t *weights, int32_t n, int32_t zero,
                                      int32_t *sums)
{
    for (int32_t i = 0; i < n; i++) {
        sums[0] += (values[i] - zero) * weights[i];
        sums[1] += (values[i] - zero) * weights[n + i];
    }
}

#endif

TH_LSTM_S8_DEFINE(th_lstm_s8_helium, th_lstm_dots_s8_helium)

#endif
