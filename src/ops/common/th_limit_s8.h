/*
 * Limits outputs to a range that is not all of int8, four channels at a time.
 */
#ifndef TH_LIMIT_S8_H
#define TH_LIMIT_S8_H

#include "th_dsp.h"

/* Four bytes, each the larger (smaller) of both. */
TH_INLINE uint32_t th_larger4(uint32_t x, uint32_t y)
{
#if TH_DSP_ASM
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\nsel %0, %1, %2" : "=&r"(result) : "r"(x), "r"(y) : "cc");
    return result;
#else
    uint32_t result = 0;
    for (int32_t i = 0; i < 32; i += 8) {
        const uint32_t a = (x >> i) & 255u;
        const uint32_t b = (y >> i) & 255u;
        result |= ((a ^ 128u) > (b ^ 128u) ? a : b) << i;
    }
    return result;
#endif
}

TH_INLINE uint32_t th_smaller4(uint32_t x, uint32_t y)
{
    return ~th_larger4(~x, ~y);
}

/* values [pixels][channels], a pixel every `step` bytes */
TH_KERNEL void th_limit_s8(int8_t *values, int32_t step, int32_t pixels, int32_t channels, int32_t min, int32_t max)
{
    const uint32_t low = (uint32_t)(min & 255) * UINT32_C(0x01010101);
    const uint32_t high = (uint32_t)(max & 255) * UINT32_C(0x01010101);
    if (min == INT8_MIN && max == INT8_MAX) {
        return;
    }
    if (step == channels) {
        channels *= pixels;
        pixels = 1;
    }
    for (; pixels > 0; pixels--, values += step) {
        int32_t c = 0;
        for (; c + 4 <= channels; c += 4) {
            th_store32(values + c, th_smaller4(th_larger4(th_load32(values + c), low), high));
        }
        for (; c < channels; c++) {
            values[c] = (int8_t)th_clamp(values[c], min, max);
        }
    }
}

#endif
