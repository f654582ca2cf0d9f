/*
 * Sums of products for Helium, two pixels with four channels at a time, whatever the types of values and weights: loops
 * around the steps that headers for the types give. Depths, and steps from pixel to pixel, are in bytes.
 */
#ifndef TH_HELIUM_LOOPS_H
#define TH_HELIUM_LOOPS_H

#include "th_helium.h"

/* Everything in words, as the assembly reads it; pixels may not be apart by less than they have. */
typedef struct {
    const int8_t *stream, *end; /* of the first four channels, and behind the last */
    const int8_t *input;
    int8_t *output;
    int32_t in_step, out_step;  /* from pixel to pixel */
    int32_t count;              /* of pixels, or of pairs */
    int32_t depth;
    int32_t out_zero, min, max;
} th_dots;

#if TH_HELIUM

/*
 * Two pixels: r0, r2, r4, r6 sums of the first, r8, r10, r12, lr of the second; r9 and r11 pixels, r5 stream, r7 end
 * of the first pixel's whole steps of `block` bytes; r1 and r3 outputs. On the stack: the pixels, where to go after the
 * first step and after the last, what `rest` makes of the bytes behind whole steps in r2, stream, its end, bytes of
 * whole steps, the argument, and a word of the steps' own. `odd` is how far to shift the bit of `block` to the left.
 * The finish gets biases in q2, sums in q0 and q1, and may change what they were summed in.
 */
#define TH_DOTS_PAIRS(name, block, odd, rest, setup, body, finish)                                                     \
    TH_NAKED void name(th_dots *dots TH_ASM_ARG)                                                                       \
    {                                                                                                                  \
        __asm__(".balign 4\n"                                                                                          \
                "push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "sub sp, sp, #40\n" setup                                                                              \
                "ldr r1, [r0, #28]\n"                                                                                  \
                "and r2, r1, #" block " - 1\n"                                                                         \
                "bic r3, r1, #" block " - 1\n"                                                                         \
                "adr.w r4, 5f\n"                                                                                       \
                "adr.w r5, 6f\n"                                                                                       \
                "cmp r2, #0\n"                                                                                         \
                "it eq\n"                                                                                              \
                "moveq r4, r5\n"                                                                                       \
                "orr r4, r4, #1\n"                                                                                     \
                "adr.w r5, 2f\n"                                                                                       \
                "adr.w r6, 3f\n"                                                                                       \
                "lsls r7, r3, #" odd "\n"                                                                              \
                "it eq\n"                                                                                              \
                "moveq r5, r6\n"                                                                                       \
                "orr r5, r5, #1\n"                                                                                     \
                "cmp r3, #" block "\n"                                                                                 \
                "it eq\n"                                                                                              \
                "moveq r5, r4\n"                                                                                       \
                "strd r5, r4, [sp, #8]\n" rest                                                                         \
                "str r2, [sp, #16]\n"                                                                                  \
                "ldrd r4, r5, [r0]\n"                                                                                  \
                "strd r4, r5, [sp, #20]\n"                                                                             \
                "strd r3, r0, [sp, #28]\n"                                                                             \
                "0:\n"                                                                                                 \
                "ldrd r9, r1, [r0, #8]\n"                                                                              \
                "ldrd r2, r3, [r0, #16]\n"                                                                             \
                "add r11, r9, r2\n"                                                                                    \
                "strd r9, r11, [sp]\n"                                                                                 \
                "add r2, r2, r11\n"                                                                                    \
                "add r4, r1, r3, lsl #1\n"                                                                             \
                "strd r2, r4, [r0, #8]\n"                                                                              \
                "add r3, r1, r3\n"                                                                                     \
                "ldr r7, [sp, #28]\n"                                                                                  \
                "ldr r5, [sp, #20]\n"                                                                                  \
                "add r7, r7, r9\n"                                                                                     \
                "1:\n" body                                                                                            \
                "6:\n"                                                                                                 \
                "vmov q0[2], q0[0], r0, r4\n"                                                                          \
                "vldrw.u32 q2, [r5], #16\n"                                                                            \
                "vmov q0[3], q0[1], r2, r6\n"                                                                          \
                "vmov q1[2], q1[0], r8, r12\n"                                                                         \
                "vmov q1[3], q1[1], r10, lr\n" finish                                                                  \
                "ldr r0, [sp, #24]\n"                                                                                  \
                "ldrd r9, r11, [sp]\n"                                                                                 \
                "cmp r5, r0\n"                                                                                         \
                "bne 1b\n"                                                                                             \
                "ldr r0, [sp, #32]\n"                                                                                  \
                "ldr r1, [r0, #24]\n"                                                                                  \
                "subs r1, r1, #1\n"                                                                                    \
                "str r1, [r0, #24]\n"                                                                                  \
                "bne 0b\n"                                                                                             \
                "add sp, sp, #40\n"                                                                                    \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

/* The body for depths of a step and more: the first step begins the sums, the last may be a part of one. */
#define TH_DOTS_LONG(first, next, tail)                                                                                \
    first "ldr pc, [sp, #8]\n"                                                                                         \
          "2:\n" next "3:\n" next "cmp r9, r7\n"                                                                       \
          "bne 2b\n"                                                                                                   \
          "ldr pc, [sp, #12]\n"                                                                                        \
          "5:\n" tail

/* For depths of a part of a step, which begins the sums. */
#define TH_DOTS_SHORT(tail)                                                                                            \
    "2:\n"                                                                                                             \
    "3:\n"                                                                                                             \
    "5:\n" tail

/* Sums of one pixel, or a vector, that begin with nothing. */
#define TH_DOTS_ZEROS                                                                                                  \
    "mov r0, #0\n"                                                                                                     \
    "mov r2, #0\n"                                                                                                     \
    "mov r4, #0\n"                                                                                                     \
    "mov r6, #0\n"

/* Sums that begin with the first whole step; r8 has been lowered by it, and where there is none they are zeros. */
#define TH_DOTS_FIRST(step)                                                                                            \
    "cmp r8, #0\n"                                                                                                     \
    "blt 4f\n" step
#define TH_DOTS_NONE "4:\n" TH_DOTS_ZEROS "b 2b\n"

/*
 * One pixel, or a vector that a fully connected layer takes: r0, r2, r4, r6 sums, r1 pixel, r5 stream, r9 its end, r3
 * output, r8 whole steps of 2^`bits` bytes, r7 what `rest` makes of the bytes behind them, r10 the pixel's beginning;
 * the tail goes on at 3 where there are none. `begin` starts the sums, `behind` is code that it jumps to. r11 and r12 are
 * the second and the third argument, and the finish's to use.
 */
#define TH_DOTS_ONE(name, bits, rest, setup, begin, step, tail, finish, behind)                                                   \
    TH_NAKED void name(const th_dots *dots TH_ASM_ARG, const int8_t *scale TH_ASM_ARG,                                 \
                       int32_t scale_step TH_ASM_ARG)                                                                  \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "mov r11, r1\n"                                                                                        \
                "mov r12, r2\n" setup                                                                                  \
                "ldr r1, [r0, #28]\n"                                                                                  \
                "lsr r8, r1, #" bits "\n"                                                                              \
                "bfc r1, #" bits ", #32 - " bits "\n"                                                                  \
                "mov r7, r1\n" rest                                                                                    \
                "ldrd r5, r9, [r0]\n"                                                                                  \
                "ldrd r10, r3, [r0, #8]\n"                                                                             \
                "0:\n"                                                                                                 \
                "mov r1, r10\n" begin                                                                                  \
                "wls lr, r8, 2f\n"                                                                                     \
                "1:\n" step                                                                                            \
                "le lr, 1b\n"                                                                                          \
                "2:\n"                                                                                                 \
                tail "3:\n"                                                                                            \
                "vmov q0[2], q0[0], r0, r4\n"                                                                          \
                "vldrw.u32 q2, [r5], #16\n"                                                                            \
                "vmov q0[3], q0[1], r2, r6\n" finish                                                                   \
                "cmp r5, r9\n"                                                                                         \
                "bne 0b\n"                                                                                             \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n" behind);                                                                          \
    }

#endif

#endif
