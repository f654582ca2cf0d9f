/* Two rows of a recurrent layer of int8 for cores with the DSP instructions: 13 instructions for 8 products. */
#ifndef TH_RECURRENT_S8_DSP_H
#define TH_RECURRENT_S8_DSP_H

#include "th_dsp.h"
#include "th_recurrent_s8.h"

TH_INLINE void th_recurrent_dots_s8_dsp(const int8_t *values, const int8_t *weights, int32_t n, int32_t *sums)
{
    const int8_t *const others = weights + n;
    int32_t first = sums[0];
    int32_t second = sums[1];
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint32_t bytes = th_load32(values + i);
        const uint32_t even = th_sxtb16(bytes);
        const uint32_t odd = th_sxtb16_ror8(bytes);
        const uint32_t one = th_load32(weights + i);
        const uint32_t other = th_load32(others + i);
        first = th_smlad(even, th_sxtb16(one), first);
        first = th_smlad(odd, th_sxtb16_ror8(one), first);
        second = th_smlad(even, th_sxtb16(other), second);
        second = th_smlad(odd, th_sxtb16_ror8(other), second);
    }
    for (; i < n; i++) {
        first += values[i] * weights[i];
        second += values[i] * others[i];
    }
    sums[0] = first;
    sums[1] = second;
}

#endif
