/*
 * Bytes widened to words of two values each, for kernels that multiply halves: of four bytes the first and the third make
 * a word, then the others; of what is left of one to three bytes one word or two. What the high half of a word of one value
 * holds does not count: its weights are zeros.
 */
#ifndef TH_WIDEN_S8_H
#define TH_WIDEN_S8_H

#include "th_dsp.h"

/* Widens n bytes of each of `count` pixels (at least one), `from_step` apart; the words of a pixel are `step` apart. */
#if TH_DSP_ASM

/* Six instructions of 32 bits, as they are jumped into: r0 to, r1 bytes from word to word, r3 from. */
#define TH_WIDEN_WORD                                                                                                  \
    "ldr r4, [r3], #4\n"                                                                                               \
    "sxtb16 r5, r4\n"                                                                                                  \
    "sxtb16 r6, r4, ror #8\n"                                                                                          \
    "str.w r5, [r0]\n"                                                                                                 \
    "str.w r6, [r0, r1]\n"                                                                                             \
    "add.w r0, r0, r1, lsl #1\n"

TH_NAKED void th_widen_s8(uint32_t *to TH_ASM_ARG, int32_t step TH_ASM_ARG, int32_t count TH_ASM_ARG,
                          const int8_t *from TH_ASM_ARG, int32_t from_step TH_ASM_ARG, int32_t n TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldr r9, [sp, #36]\n"
            "ldr r8, [sp, #40]\n"
            "lsl r1, r1, #2\n"
            "and r4, r8, #12\n"
            "add r4, r4, r4, lsl #1\n"
            "adr.w r7, 2f\n"
            "sub r7, r7, r4, lsl #1\n"
            "orr r7, r7, #1\n"
            "bic lr, r8, #3\n"
            "0:\n"
            "mov r10, r0\n"
            "mov r11, r3\n"
            "add r12, r3, lr\n"
            "bx r7\n"
            ".balign 4\n"
            "1:\n"
            TH_WIDEN_WORD TH_WIDEN_WORD TH_WIDEN_WORD TH_WIDEN_WORD "2:\n"
            "cmp r3, r12\n"
            "bne 1b\n"
            "lsls r4, r8, #31\n"
            "bcs 3f\n"
            "bpl 5f\n"
            "ldrb r4, [r3]\n"
            "sxtb16 r4, r4\n"
            "str r4, [r0]\n"
            "b 5f\n"
            "3:\n"
            "bmi 4f\n"
            "ldrb r4, [r3]\n"
            "ldrb r5, [r3, #1]\n"
            "orr r4, r4, r5, lsl #16\n"
            "sxtb16 r4, r4\n"
            "str r4, [r0]\n"
            "b 5f\n"
            "4:\n"
            "ldrb r4, [r3]\n"
            "ldrb r5, [r3, #2]\n"
            "ldrb r6, [r3, #1]\n"
            "orr r4, r4, r5, lsl #16\n"
            "sxtb16 r4, r4\n"
            "sxtb16 r6, r6\n"
            "str r4, [r0]\n"
            "str r6, [r0, r1]\n"
            "5:\n"
            "add r0, r10, #4\n"
            "add r3, r11, r9\n"
            "subs r2, r2, #1\n"
            "bne 0b\n"
            "pop {r4-r11, pc}\n");
}

#else

TH_KERNEL void th_widen_s8(uint32_t *to, int32_t step, int32_t count, const int8_t *from, int32_t from_step, int32_t n)
{
    for (int32_t i = 0; i < count; i++) {
        const int8_t *pixel = from + i * from_step;
        uint32_t *word = to + i;
        int32_t k = 0;
        for (; k + 4 <= n; k += 4, word += 2 * step) {
            word[0] = th_sxtb16(th_load32(pixel + k));
            word[step] = th_sxtb16_ror8(th_load32(pixel + k));
        }
        if (k < n) {
            const int32_t left = n - k;
            const uint32_t second = left == 1 ? 0 : (uint8_t)pixel[k + left - 1];
            word[0] = th_sxtb16((uint8_t)pixel[k] | second << 16);
            if (left == 3) {
                word[step] = th_sxtb16((uint8_t)pixel[k + 1]);
            }
        }
    }
}

#endif

/* Widens n bytes of each of four pixels, from_step apart; the words of a pixel are four apart. */
#if TH_DSP_ASM

#define TH_WIDEN_FOUR_WORDS                                                                                            \
    "sxtb16 r9, r4\n"                                                                                                  \
    "sxtb16 r10, r5\n"                                                                                                 \
    "sxtb16 r11, r6\n"                                                                                                 \
    "sxtb16 r12, r7\n"                                                                                                 \
    "sxtb16 r4, r4, ror #8\n"                                                                                          \
    "sxtb16 r5, r5, ror #8\n"                                                                                          \
    "sxtb16 r6, r6, ror #8\n"                                                                                          \
    "sxtb16 r7, r7, ror #8\n"                                                                                          \
    "stm r0!, {r9-r12}\n"                                                                                              \
    "stm r0!, {r4-r7}\n"
#define TH_WIDEN_FOUR_LOADS(load)                                                                                      \
    load " r6, [r1, r2, lsl #1]\n" load " r7, [r8, r2, lsl #1]\n" load " r4, [r1]\n" load " r5, [r8]\n"

TH_NAKED void th_widen4_s8(uint32_t *to TH_ASM_ARG, const int8_t *from TH_ASM_ARG, int32_t from_step TH_ASM_ARG,
                           int32_t n TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "add r8, r1, r2\n"
            "bic lr, r3, #3\n"
            "add lr, lr, r1\n"
            "cmp r1, lr\n"
            "beq 2f\n"
            "1:\n"
            "ldr r6, [r1, r2, lsl #1]\n"
            "ldr r7, [r8, r2, lsl #1]\n"
            "ldr r4, [r1], #4\n"
            "ldr r5, [r8], #4\n"
            "cmp r1, lr\n" TH_WIDEN_FOUR_WORDS "bne 1b\n"
            "2:\n"
            "lsls r3, r3, #31\n"
            "bcs 3f\n"
            "bpl 5f\n" TH_WIDEN_FOUR_LOADS("ldrsb") "stm r0!, {r4-r7}\n"
            "pop {r4-r11, pc}\n"
            "3:\n" TH_WIDEN_FOUR_LOADS("ldrh") "bmi 4f\n"
            "orr r4, r4, r4, lsl #8\n"
            "orr r5, r5, r5, lsl #8\n"
            "orr r6, r6, r6, lsl #8\n"
            "orr r7, r7, r7, lsl #8\n"
            "sxtb16 r4, r4\n"
            "sxtb16 r5, r5\n"
            "sxtb16 r6, r6\n"
            "sxtb16 r7, r7\n"
            "stm r0!, {r4-r7}\n"
            "pop {r4-r11, pc}\n"
            "4:\n"
            "add r1, #2\n"
            "add r8, #2\n"
            "ldrb r9, [r1]\n"
            "ldrb r10, [r8]\n"
            "ldrb r11, [r1, r2, lsl #1]\n"
            "ldrb r12, [r8, r2, lsl #1]\n"
            "orr r4, r4, r9, lsl #16\n"
            "orr r5, r5, r10, lsl #16\n"
            "orr r6, r6, r11, lsl #16\n"
            "orr r7, r7, r12, lsl #16\n" TH_WIDEN_FOUR_WORDS "5:\n"
            "pop {r4-r11, pc}\n");
}

#else

TH_INLINE void th_widen4_s8(uint32_t *to, const int8_t *from, int32_t from_step, int32_t n)
{
    th_widen_s8(to, 4, 4, from, from_step, n);
}

#endif

#endif
