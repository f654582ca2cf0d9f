/*
 * int4 weights of depthwise convolutions, prepared as those of int8 are: a word of two weights of each of four channels holds
 * nibbles that are 8 more than the weights. Four bits higher is another channel; the low half is of one row of the kernel, the
 * high half of the next.
 */
#ifndef TH_DEPTHWISE_W4_H
#define TH_DEPTHWISE_W4_H

#include "th_dsp.h"

/* 256 times the weights of four channels, or twice. */
TH_INLINE void th_depthwise_w4_words(uint32_t *to, uint32_t word, int32_t is_linear)
{
    if (is_linear) {
        const uint32_t mask = UINT32_C(0x0f000f00), eights = UINT32_C(0x08000800);
        to[0] = th_ssub16(word << 8 & mask, eights);
        to[1] = th_ssub16(word << 4 & mask, eights);
        to[2] = th_ssub16(word & mask, eights);
        to[3] = th_ssub16(word >> 4 & mask, eights);
    } else {
        const uint32_t mask = UINT32_C(0x001e001e), eights = UINT32_C(0x00100010);
        to[0] = th_ssub16(word << 1 & mask, eights);
        to[1] = th_ssub16(word >> 3 & mask, eights);
        to[2] = th_ssub16(word >> 7 & mask, eights);
        to[3] = th_ssub16(word >> 11 & mask, eights);
    }
}

/* Those of one row, as two words: of channels 0 and 2, and of 1 and 3. bytes: channels 0 and 1, then 2 and 3. */
TH_INLINE void th_depthwise_w4_row(uint32_t *to, uint32_t bytes, int32_t is_linear)
{
    const uint32_t word = (bytes | bytes << 8) & UINT32_C(0x00ff00ff);
    uint32_t words[4];
    th_depthwise_w4_words(words, word, is_linear);
    to[0] = words[0];
    to[1] = words[1];
}

#endif
