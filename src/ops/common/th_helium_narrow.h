/*
 * What th_helium_dots.h does, for depths up to 16: the weights of four channels stay in registers while all pixels
 * pass.
 */
#ifndef TH_HELIUM_NARROW_H
#define TH_HELIUM_NARROW_H

#include "th_helium_dots.h"

#if TH_HELIUM

/*
 * r4, r6, r8, r10 sums, r5 stream, r7 pixel, r1 output, r2 and r3 steps of both, r9 zero point, r11 and r12 limits;
 * q4 to q7 weights, q1 biases, q2 multipliers, which are at r0, q3 shifts. On the stack: count, input, output, end.
 */
#define TH_DOTS_NARROW(name, finish)                                                                                   \
    TH_NAKED void name(const th_dots *dots TH_ASM_ARG)                                                                 \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "sub sp, sp, #20\n"                                                                                    \
                "ldr r1, [r0, #24]\n"                                                                                  \
                "ldr r2, [r0, #8]\n"                                                                                   \
                "strd r1, r2, [sp]\n"                                                                                  \
                "ldr r1, [r0, #12]\n"                                                                                  \
                "ldrd r5, r2, [r0]\n"                                                                                  \
                "strd r1, r2, [sp, #8]\n"                                                                              \
                "ldr r1, [r0, #28]\n"                                                                                  \
                "str r1, [sp, #16]\n"                                                                                  \
                "vctp.8 r1\n"                                                                                          \
                "ldrd r3, r2, [r0, #16]\n"                                                                             \
                "ldrd r9, r11, [r0, #32]\n"                                                                            \
                "ldr r12, [r0, #40]\n"                                                                                 \
                "0:\n"                                                                                                 \
                "ldr r4, [sp, #16]\n"                                                                                  \
                "vldrb.u8 q4, [r5]\n"                                                                                  \
                "add r5, r5, r4\n"                                                                                     \
                "vldrb.u8 q5, [r5]\n"                                                                                  \
                "add r5, r5, r4\n"                                                                                     \
                "vldrb.u8 q6, [r5]\n"                                                                                  \
                "add r5, r5, r4\n"                                                                                     \
                "vldrb.u8 q7, [r5]\n"                                                                                  \
                "add r5, r5, r4\n"                                                                                     \
                "vldrw.u32 q1, [r5], #16\n"                                                                            \
                "mov r0, r5\n"                                                                                         \
                "vldrw.u32 q2, [r5], #16\n"                                                                            \
                "vldrb.s32 q3, [r5], #4\n"                                                                             \
                "ldrd lr, r7, [sp]\n"                                                                                  \
                "ldr r1, [sp, #8]\n"                                                                                   \
                "dls lr, lr\n"                                                                                         \
                "1:\n"                                                                                                 \
                "vpst\n"                                                                                               \
                "vldrbt.u8 q0, [r7]\n"                                                                                 \
                "vmladav.s8 r4, q0, q4\n"                                                                              \
                "add r7, r7, r3\n"                                                                                     \
                "vmladav.s8 r8, q0, q6\n"                                                                              \
                "vmladav.s8 r6, q0, q5\n"                                                                              \
                "vmladav.s8 r10, q0, q7\n"                                                                             \
                "vmov q0[2], q0[0], r4, r8\n"                                                                          \
                "vmov q0[3], q0[1], r6, r10\n"                                                                         \
                "vadd.i32 q0, q0, q1\n"                                                                                \
                "vqrdmulh.s32 q0, q0, q2\n" finish                                                                     \
                "vstrb.32 q0, [r1]\n"                                                                                  \
                "add r1, r1, r2\n"                                                                                     \
                "le lr, 1b\n"                                                                                          \
                "ldrd r1, r4, [sp, #8]\n"                                                                              \
                "add r1, r1, #4\n"                                                                                     \
                "str r1, [sp, #8]\n"                                                                                   \
                "cmp r5, r4\n"                                                                                         \
                "bne 0b\n"                                                                                             \
                "add sp, sp, #20\n"                                                                                    \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

/* Any range; the sign is the product's, for a sum whose product is zero has no half to round. */
TH_DOTS_NARROW(th_dots_narrow, TH_HELIUM_SIGN("q2", "q0") TH_HELIUM_AWAY("q2", "q0") "vrshl.s32 q0, q0, q3\n"
                                                                                     "vadd.i32 q0, q0, r9\n"
                                                                                     "vdup.32 q2, r11\n"
                                                                                     "vmax.s32 q0, q0, q2\n"
                                                                                     "vdup.32 q2, r12\n"
                                                                                     "vmin.s32 q0, q0, q2\n"
                                                                                     "vldrw.u32 q2, [r0]\n")
/* Outputs of all int8, the zero point the least of them. */
TH_DOTS_NARROW(th_dots_narrow_relu, "vrshl.s32 q0, q0, q3\n"
                                    "vadd.i32 q0, q0, r9\n"
                                    "vqmovnb.s32 q0, q0\n"
                                    "vqmovnb.s16 q0, q0\n")

#else

TH_KERNEL void th_dots_narrow(const th_dots *dots)
{
    th_dots d = *dots;
    for (; d.count > 0; d.count--) {
        th_dots_one(&d, NULL, 0);
        d.input += d.in_step;
        d.output += d.out_step;
    }
}

#define th_dots_narrow_relu th_dots_narrow

#endif

#endif
