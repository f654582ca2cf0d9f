/*
 * Sums of products of int16 values with int8 weights in 64 bits, for two channels at a time, for cores with the DSP
 * instructions: 16 instructions for 8 products.
 */
#ifndef TH_DOTS_S16_H
#define TH_DOTS_S16_H

#include "th_dsp.h"

/* Adds the products of n values with each of two rows of weights. */
#if TH_DSP_ASM

/* Four weights of one channel: r10 and r11 hold values 0 and 2, and 1 and 3. */
#define TH_DOTS_FOUR(weights, low, high)                                                                               \
    "ldr r12, [" weights "], #4\n"                                                                                     \
    "sxtb16 r8, r12\n"                                                                                                 \
    "sxtb16 r9, r12, ror #8\n"                                                                                         \
    "smlald " low ", " high ", r10, r8\n"                                                                              \
    "smlald " low ", " high ", r11, r9\n"

TH_NAKED void th_dots_s16(const int16_t *values TH_ASM_ARG, const int8_t *first TH_ASM_ARG,
                          const int8_t *second TH_ASM_ARG, int32_t n TH_ASM_ARG, int64_t *sums TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldr lr, [sp, #36]\n"
            "ldm lr, {r4-r7}\n"
            "subs r3, r3, #4\n"
            "blt 2f\n"
            "1:\n"
            "ldr r8, [r0], #4\n"
            "ldr r9, [r0], #4\n"
            "subs r3, r3, #4\n"
            "pkhbt r10, r8, r9, lsl #16\n"
            "pkhtb r11, r9, r8, asr #16\n" TH_DOTS_FOUR("r1", "r4", "r5") TH_DOTS_FOUR("r2", "r6", "r7") "bge 1b\n"
            "2:\n"
            "adds r3, r3, #4\n"
            "beq 4f\n"
            "3:\n"
            "ldrsh r8, [r0], #2\n"
            "ldrsb r9, [r1], #1\n"
            "ldrsb r10, [r2], #1\n"
            "subs r3, r3, #1\n"
            "smlalbb r4, r5, r8, r9\n"
            "smlalbb r6, r7, r8, r10\n"
            "bne 3b\n"
            "4:\n"
            "stm lr, {r4-r7}\n"
            "pop {r4-r11, pc}\n");
}

#else

TH_INLINE void th_dots_s16(const int16_t *values, const int8_t *first, const int8_t *second, int32_t n, int64_t *sums)
{
    for (int32_t i = 0; i < n; i++) {
        sums[0] += values[i] * first[i];
        sums[1] += values[i] * second[i];
    }
}

#endif

#endif
