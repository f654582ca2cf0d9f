/*
 * Armv6-M (Cortex-M0+): what kernels in its assembly share, above all the requantization of sums without a long multiply.
 * Where a compiler has another target, the same functions compute the same in C.
 *
 * A multiplier is cut into pieces so small that each product with a sum, and what is carried over from the piece below,
 * fits in 32 bits; shifts between the pieces drop bits of which no rounding depends. Three pieces do for sums below 2^20,
 * four for those below 2^22.
 */
#ifndef TH_ARMV6M_H
#define TH_ARMV6M_H

#include "th_base.h"

/*
 * TH_ARMV6M_ASM is 1 where kernels have bodies in assembly: functions of TH_NAKED_M0, nothing but one asm statement, which
 * saves what it uses and returns; the compiler must know nothing of them but their type.
 */
#if defined(__thumb__) && !defined(__thumb2__) && defined(__GNUC__) && defined(__ARM_ARCH) && __ARM_ARCH == 6
#define TH_ARMV6M_ASM 1
#if defined(__clang__)
#define TH_NAKED_M0 static __attribute__((naked, noinline, unused))
#else
#define TH_NAKED_M0 static __attribute__((naked, noipa, unused))
#endif
#define TH_M0_ARG __attribute__((unused))
#else
#define TH_ARMV6M_ASM 0
#endif

/* How the sums of a channel become int8: everything in words, as the assembly reads it. */
typedef struct {
    const int32_t *sums, *end; /* behind the last */
    int8_t *output;
    int32_t out_step;          /* from output to output */
    int32_t multiplier;
    int32_t right;             /* from 1 to 22 */
    int32_t zero2;             /* 2 * output zero point + 1 */
    int32_t pieces;            /* 3 or 4 */
} th_finish_m0;

#if TH_ARMV6M_ASM

/*
 * r0 the sums, r4 output, r5 its step, r6 the right shift, r7 outputs left; r8 to r11 pieces of the multiplier, r12 half
 * the divisor plus the zero point times the divisor. A sum in r1; r2 and r3 are free.
 */
#define TH_M0_PIECE(piece) "mov r3, " piece "\nmuls r3, r1, r3\nadds r2, r2, r3\n"
#define TH_M0_STORE                                                                                                    \
    "asrs r3, r2, #31\n"                                                                                               \
    "adds r2, r2, r3\n"                                                                                                \
    "add r2, r2, r12\n"                                                                                                \
    "asrs r2, r2, r6\n"                                                                                                \
    "sxtb r3, r2\n"                                                                                                    \
    "cmp r3, r2\n"                                                                                                     \
    "beq 62f\n"                                                                                                        \
    "asrs r2, r2, #31\n"                                                                                               \
    "movs r3, #127\n"                                                                                                  \
    "eors r3, r3, r2\n"                                                                                                \
    "62:\n"                                                                                                            \
    "strb r3, [r4]\n"                                                                                                  \
    "adds r4, r4, r5\n"                                                                                                \
    "subs r7, r7, #1\n"

/* Before: r1 the multiplier, r2 how many pieces, r3 2 * zero point + 1. */
#define TH_M0_FINISH                                                                                                   \
    "lsls r3, r3, r6\n"                                                                                                \
    "asrs r3, r3, #1\n"                                                                                                \
    "mov r12, r3\n"                                                                                                    \
    "cmp r2, #3\n"                                                                                                     \
    "bne 64f\n"                                                                                                        \
    "lsls r2, r1, #22\n"                                                                                               \
    "lsrs r2, r2, #22\n"                                                                                               \
    "mov r8, r2\n"                                                                                                     \
    "lsls r2, r1, #11\n"                                                                                               \
    "lsrs r2, r2, #21\n"                                                                                               \
    "mov r9, r2\n"                                                                                                     \
    "lsrs r2, r1, #21\n"                                                                                               \
    "mov r10, r2\n"                                                                                                    \
    "movs r2, #128\n"                                                                                                  \
    "lsls r2, r2, #2\n"                                                                                                \
    "mov r11, r2\n"                                                                                                    \
    "61:\n"                                                                                                            \
    "ldmia r0!, {r1}\n"                                                                                                \
    "mov r2, r8\n"                                                                                                     \
    "muls r2, r1, r2\n"                                                                                                \
    "asrs r2, r2, #10\n" TH_M0_PIECE("r9") "asrs r2, r2, #11\n" TH_M0_PIECE("r10")                                     \
    "add r2, r2, r11\n"                                                                                                \
    "asrs r2, r2, #10\n" TH_M0_STORE "bne 61b\n"                                                                       \
    "b 66f\n"                                                                                                          \
    "64:\n"                                                                                                            \
    "uxtb r2, r1\n"                                                                                                    \
    "mov r8, r2\n"                                                                                                     \
    "lsrs r2, r1, #8\n"                                                                                                \
    "uxtb r2, r2\n"                                                                                                    \
    "mov r9, r2\n"                                                                                                     \
    "lsrs r2, r1, #16\n"                                                                                               \
    "uxtb r2, r2\n"                                                                                                    \
    "mov r10, r2\n"                                                                                                    \
    "lsrs r2, r1, #24\n"                                                                                               \
    "mov r11, r2\n"                                                                                                    \
    "65:\n"                                                                                                            \
    "ldmia r0!, {r1}\n"                                                                                                \
    "mov r2, r8\n"                                                                                                     \
    "muls r2, r1, r2\n"                                                                                                \
    "asrs r2, r2, #8\n" TH_M0_PIECE("r9") "asrs r2, r2, #8\n" TH_M0_PIECE("r10") "asrs r2, r2, #8\n"                   \
    TH_M0_PIECE("r11")                                                                                                 \
    "adds r2, r2, #64\n"                                                                                               \
    "asrs r2, r2, #7\n" TH_M0_STORE "bne 65b\n"                                                                        \
    "66:\n"

/* r8 to r11 to and from the stack, by way of low registers whose values are not needed. */
#define TH_M0_PUSH                                                                                                     \
    ".syntax unified\n"                                                                                                \
    "push {r4-r7, lr}\n"                                                                                               \
    "mov r4, r8\n"                                                                                                     \
    "mov r5, r9\n"                                                                                                     \
    "mov r6, r10\n"                                                                                                    \
    "mov r7, r11\n"                                                                                                    \
    "push {r4-r7}\n"
#define TH_M0_POP                                                                                                      \
    "pop {r4-r7}\n"                                                                                                    \
    "mov r8, r4\n"                                                                                                     \
    "mov r9, r5\n"                                                                                                     \
    "mov r10, r6\n"                                                                                                    \
    "mov r11, r7\n"                                                                                                    \
    "pop {r4-r7, pc}\n"

/* At least one sum. */
TH_NAKED_M0 void th_finish_s8_m0(const th_finish_m0 *f TH_M0_ARG)
{
    __asm__(TH_M0_PUSH
            "ldmia r0!, {r1, r2, r4, r5}\n"
            "subs r7, r2, r1\n"
            "lsrs r7, r7, #2\n"
            "push {r1}\n"
            "ldmia r0!, {r1, r6}\n"
            "ldr r3, [r0]\n"
            "ldr r2, [r0, #4]\n"
            "pop {r0}\n" TH_M0_FINISH TH_M0_POP);
}

#else

/* What the assembly above computes. */
TH_INLINE int8_t th_finish_value(int32_t sum, int32_t multiplier, int32_t right, int32_t zero2, int32_t pieces)
{
    int32_t high;
    if (pieces == 3) {
        const int32_t low = sum * (multiplier & 0x3ff) >> 10;
        const int32_t middle = (low + sum * (multiplier >> 10 & 0x7ff)) >> 11;
        high = (middle + sum * (multiplier >> 21) + 512) >> 10;
    } else {
        int32_t product = sum * (multiplier & 255) >> 8;
        product = (product + sum * (multiplier >> 8 & 255)) >> 8;
        product = (product + sum * (multiplier >> 16 & 255)) >> 8;
        high = (product + sum * (multiplier >> 24) + 64) >> 7;
    }
    const int32_t add = (zero2 * (1 << right)) >> 1;
    return (int8_t)th_clamp((high + (high < 0 ? -1 : 0) + add) >> right, INT8_MIN, INT8_MAX);
}

TH_KERNEL void th_finish_s8_m0(const th_finish_m0 *f)
{
    int8_t *output = f->output;
    for (const int32_t *sum = f->sums; sum != f->end; sum++, output += f->out_step) {
        *output = th_finish_value(*sum, f->multiplier, f->right, f->zero2, f->pieces);
    }
}

#endif

/* Limits n pixels of `channels` outputs where the range is smaller than that of int8. */
TH_KERNEL void th_limit_m0(int8_t *output, int32_t n, int32_t channels, int32_t step, int32_t min, int32_t max)
{
    if (min == INT8_MIN && max == INT8_MAX) {
        return;
    }
    for (; n > 0; n--, output += step) {
        for (int32_t c = 0; c < channels; c++) {
            output[c] = (int8_t)th_clamp(output[c], min, max);
        }
    }
}

#endif
