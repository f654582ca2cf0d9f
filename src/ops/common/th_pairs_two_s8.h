/*
 * Two pairs of channels of a single pixel at a time, with the linear finish: see th_pairs_s8.h. Each value serves four
 * channels: 30 instructions for 32 multiply-accumulates, where one pair takes 40.
 */
#ifndef TH_PAIRS_TWO_S8_H
#define TH_PAIRS_TWO_S8_H

#include "th_pairs_s8.h"

#if TH_DSP_ASM

/* r0 and r8 streams, r1 values up to r11; r2, r3 words, r9, r10 their SXTB16; even and odd sums in r4, r5 and in r6, r7. */
#define TH_PAIRS_TWO_WORD                                                                                              \
    "ldr r12, [r1], #4\n"                                                                                              \
    "ldr r2, [r0], #4\n"                                                                                               \
    "ldr r3, [r8], #4\n"                                                                                               \
    "sxtb16 r9, r2\n"                                                                                                  \
    "sxtb16 r10, r3\n"                                                                                                 \
    "smlad r5, r2, r12, r5\n"                                                                                          \
    "smlad r4, r9, r12, r4\n"                                                                                          \
    "smlad r7, r3, r12, r7\n"                                                                                          \
    "smlad r6, r10, r12, r6\n"
#define TH_PAIRS_TWO_SUM(stream, even, odd)                                                                            \
    "ldrd r2, r3, [" stream "], #8\n"                                                                                  \
    "sxtb16 r9, r2\n"                                                                                                  \
    "sxtb16 r10, r3\n"                                                                                                 \
    "smlad " odd ", r2, r12, " odd "\n"                                                                                \
    "smlad " even ", r9, r12, " even "\n"                                                                              \
    "smlad " odd ", r3, lr, " odd "\n"                                                                                 \
    "smlad " even ", r10, lr, " even "\n"
#define TH_PAIRS_TWO_WORDS                                                                                             \
    "ldrd r12, lr, [r1], #8\n" TH_PAIRS_TWO_SUM("r0", "r4", "r5") TH_PAIRS_TWO_SUM("r8", "r6", "r7")
/* The tail of a pair: biases, multipliers; r12 is what is added. Leaves both outputs in the low half of `even`. */
#define TH_PAIRS_TWO_FINISH(stream, even, odd)                                                                         \
    "ldm " stream "!, {r2, r3, r9, r10}\n"                                                                             \
    "sub " odd ", " odd ", " even "\n"                                                                                 \
    "add " even ", r2, " even ", lsl #8\n"                                                                             \
    "add " odd ", r3, " odd "\n"                                                                                       \
    "smmlar " even ", " even ", r9, r12\n"                                                                             \
    "smmlar " odd ", " odd ", r10, r12\n"                                                                              \
    "ssat " even ", #8, " even ", asr #" TH_PAIRS_TEXT(TH_PAIRS_BITS) "\n"                                             \
    "ssat " odd ", #8, " odd ", asr #" TH_PAIRS_TEXT(TH_PAIRS_BITS) "\n"                                               \
    "bfi " even ", " odd ", #8, #8\n"

/* Pairs of pairs from `stream` to `end`; the stack: word_bytes, end, values, output, add. */
TH_NAKED void th_pairs_two_s8(const th_pairs_block *b TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldm r0, {r4-r10}\n"
            "ldr r3, [r0, #36]\n"
            "mov r11, r7\n"
            "push {r3, r5, r6, r8, r10}\n"
            "mov r0, r4\n"
            "0:\n"
            "ldr r3, [sp]\n"
            "ldr r1, [sp, #8]\n"
            "add r8, r0, r3\n"
            "add r8, r8, #16\n"
            "mov r4, #0\n"
            "mov r5, #0\n"
            "mov r6, #0\n"
            "mov r7, #0\n"
            "lsls r3, r3, #29\n"
            "bpl 1f\n" TH_PAIRS_TWO_WORD "1:\n"
            "bcc 2f\n" TH_PAIRS_TWO_WORDS "2:\n"
            "cmp r1, r11\n"
            "beq 4f\n"
            "3:\n" TH_PAIRS_TWO_WORDS TH_PAIRS_TWO_WORDS "cmp r1, r11\n"
            "bne 3b\n"
            "4:\n"
            "ldr r12, [sp, #16]\n"
            "ldr r1, [sp, #12]\n" TH_PAIRS_TWO_FINISH("r0", "r4", "r5") TH_PAIRS_TWO_FINISH("r8", "r6", "r7")
            "pkhbt r4, r4, r6, lsl #16\n"
            "str r4, [r1], #4\n"
            "str r1, [sp, #12]\n"
            "mov r0, r8\n"
            "ldr r1, [sp, #4]\n"
            "cmp r0, r1\n"
            "bne 0b\n"
            "add sp, #20\n"
            "pop {r4-r11, pc}\n");
}

#else

TH_INLINE void th_pairs_two_s8(const th_pairs_block *b)
{
    th_pairs_s8(b, 1);
}

#endif

#endif
