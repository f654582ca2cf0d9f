/*
 * Sixteen channels of a depthwise convolution at a time, int8, for Helium. VMULLB and VMULLT.S8 multiply the even and
 * the odd bytes to 16 bits; products of two taps are added there, which weights allow whose magnitudes add up to 255
 * at most, and the sums widened and added to four vectors of 32 bits. The stream of sixteen channels: weights
 * [taps][16]; of channels 0, 4, 8, 12 biases, multipliers, and right shifts negated, a byte each; the same of
 * channels 2, 6, 10, 14, of 1, 5, 9, 13 and of 3, 7, 11, 15.
 */
#ifndef TH_DEPTHWISE_HELIUM_H
#define TH_DEPTHWISE_HELIUM_H

#include "th_helium.h"

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int8_t *stream;
    int32_t groups;        /* of sixteen channels, at least one */
    int32_t pixels;        /* to compute, at least one */
    int32_t in_move;       /* from behind the last group of a tap to the first of its next */
    int8_t *output;
    int32_t out_move;      /* the same of outputs */
    int32_t out_zero, min, max;
    const int8_t **taps;   /* where each tap of the first pixel is */
    int32_t pairs, single; /* of taps: two at a time, and whether one more */
} th_depthwise16;

#if TH_HELIUM

/* Adds sums of 16 bits to four vectors. */
#define TH_DW16_WIDEN(bottom, top, a0, a1, a2, a3)                                                                     \
    "vmovlb.s16 q0, " bottom "\n"                                                                                      \
    "vmovlt.s16 q1, " bottom "\n"                                                                                      \
    "vadd.i32 " a0 ", " a0 ", q0\n"                                                                                    \
    "vmovlb.s16 q0, " top "\n"                                                                                         \
    "vadd.i32 " a1 ", " a1 ", q1\n"                                                                                    \
    "vmovlt.s16 q1, " top "\n"                                                                                         \
    "vadd.i32 " a2 ", " a2 ", q0\n"                                                                                    \
    "vadd.i32 " a3 ", " a3 ", q1\n"

#define TH_DW16_FIRST(tap, bottom, top)                                                                                \
    "vldrb.u8 q0, [" tap "], #16\n"                                                                                    \
    "vldrb.u8 q1, [r0], #16\n"                                                                                         \
    "vmullb.s8 " bottom ", q0, q1\n"                                                                                   \
    "vmullt.s8 " top ", q0, q1\n"

/* With two registers to spare, and with none. */
#define TH_DW16_SECOND_SPARE(tap, bottom, top, spare0, spare1)                                                         \
    TH_DW16_FIRST(tap, spare0, spare1)                                                                                 \
    "vadd.i16 " bottom ", " bottom ", " spare0 "\n"                                                                    \
    "vadd.i16 " top ", " top ", " spare1 "\n"
#define TH_DW16_SECOND(tap, bottom, top)                                                                               \
    "vldrb.u8 q0, [" tap "], #16\n"                                                                                    \
    "vldrb.u8 q1, [r0], #16\n"                                                                                         \
    "vmullt.s8 q1, q0, q1\n"                                                                                           \
    "vadd.i16 " top ", " top ", q1\n"                                                                                  \
    "vldrb.u8 q1, [r0, #-16]\n"                                                                                        \
    "vmullb.s8 q0, q0, q1\n"                                                                                           \
    "vadd.i16 " bottom ", " bottom ", q0\n"

#define TH_DW16_SCALE(sum, sign, away)                                                                                 \
    "vldrw.u32 q0, [r0], #16\n"                                                                                        \
    "vadd.i32 " sum ", " sum ", q0\n"                                                                                  \
    "vldrw.u32 q0, [r0], #16\n" sign("q1", sum) "vqrdmulh.s32 " sum ", " sum ", q0\n" away("q1", sum)                  \
    "vldrb.s32 q1, [r0], #4\n"                                                                                         \
    "vrshl.s32 " sum ", " sum ", q1\n"

/* Sums to 16 outputs in a0. */
#define TH_DW16_FINISH(a0, a1, a2, a3, zero, sign, away)                                                               \
    TH_DW16_SCALE(a0, sign, away)                                                                                      \
    TH_DW16_SCALE(a1, sign, away)                                                                                      \
    TH_DW16_SCALE(a2, sign, away)                                                                                      \
    TH_DW16_SCALE(a3, sign, away)                                                                                      \
    "vqmovnb.s32 " a0 ", " a0 "\n"                                                                                     \
    "vqmovnb.s32 " a2 ", " a2 "\n"                                                                                     \
    "vqmovnt.s32 " a0 ", " a1 "\n"                                                                                     \
    "vqmovnt.s32 " a2 ", " a3 "\n"                                                                                     \
    "vqadd.s16 " a0 ", " a0 ", " zero "\n"                                                                             \
    "vqadd.s16 " a2 ", " a2 ", " zero "\n"                                                                             \
    "vqmovnb.s16 " a0 ", " a0 "\n"                                                                                     \
    "vqmovnt.s16 " a0 ", " a2 "\n"

/*
 * 3x3: r0 stream, r1 to r9 taps, r10 output, r11 zero point; on the stack the limits, stream, groups, in_move,
 * out_move and pixels.
 */
#define TH_DW16_3X3(name, sign, away, limit)                                                                      \
    TH_NAKED void name(const th_depthwise16 *run TH_ASM_ARG)                                                         \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "sub sp, sp, #28\n"                                                                                    \
                "ldrd r1, r2, [r0, #28]\n"                                                                             \
                "strd r1, r2, [sp]\n"                                                                                  \
                "ldrd r1, r2, [r0]\n"                                                                                  \
                "strd r1, r2, [sp, #8]\n"                                                                              \
                "ldr r1, [r0, #12]\n"                                                                                  \
                "ldr r2, [r0, #20]\n"                                                                                  \
                "strd r1, r2, [sp, #16]\n"                                                                             \
                "ldr r1, [r0, #8]\n"                                                                                   \
                "str r1, [sp, #24]\n"                                                                                  \
                "ldr r10, [r0, #16]\n"                                                                                 \
                "ldr r11, [r0, #24]\n"                                                                                 \
                "ldr r12, [r0, #36]\n"                                                                                 \
                "ldm r12, {r1-r9}\n"                                                                                   \
                "0:\n"                                                                                                 \
                "ldrd r0, lr, [sp, #8]\n"                                                                              \
                "dls lr, lr\n"                                                                                         \
                "1:\n" TH_DW16_FIRST("r1", "q2", "q3") TH_DW16_SECOND_SPARE("r2", "q2", "q3", "q4", "q5")              \
                TH_DW16_FIRST("r3", "q4", "q5") TH_DW16_SECOND_SPARE("r4", "q4", "q5", "q6", "q7")                     \
                "vmovlb.s16 q6, q2\n"                                                                                  \
                "vmovlb.s16 q0, q4\n"                                                                                  \
                "vmovlt.s16 q7, q2\n"                                                                                  \
                "vadd.i32 q6, q6, q0\n"                                                                                \
                "vmovlt.s16 q1, q4\n"                                                                                  \
                "vmovlb.s16 q2, q3\n"                                                                                  \
                "vadd.i32 q7, q7, q1\n"                                                                                \
                "vmovlb.s16 q0, q5\n"                                                                                  \
                "vmovlt.s16 q4, q3\n"                                                                                  \
                "vadd.i32 q2, q2, q0\n"                                                                                \
                "vmovlt.s16 q1, q5\n"                                                                                  \
                "vadd.i32 q4, q4, q1\n" TH_DW16_FIRST("r5", "q3", "q5") TH_DW16_SECOND("r6", "q3", "q5")               \
                TH_DW16_WIDEN("q3", "q5", "q6", "q7", "q2", "q4")                                                      \
                TH_DW16_FIRST("r7", "q3", "q5") TH_DW16_SECOND("r8", "q3", "q5")                                       \
                TH_DW16_WIDEN("q3", "q5", "q6", "q7", "q2", "q4") TH_DW16_FIRST("r9", "q3", "q5")                      \
                TH_DW16_WIDEN("q3", "q5", "q6", "q7", "q2", "q4")                                                      \
                TH_DW16_FINISH("q6", "q7", "q2", "q4", "r11", sign, away) limit("q6", "[sp]", "[sp, #4]")              \
                "vstrb.8 q6, [r10], #16\n"                                                                             \
                "le lr, 1b\n"                                                                                          \
                "ldrd r12, lr, [sp, #16]\n"                                                                            \
                "add r1, r1, r12\n"                                                                                    \
                "add r2, r2, r12\n"                                                                                    \
                "add r3, r3, r12\n"                                                                                    \
                "add r4, r4, r12\n"                                                                                    \
                "add r5, r5, r12\n"                                                                                    \
                "add r6, r6, r12\n"                                                                                    \
                "add r7, r7, r12\n"                                                                                    \
                "add r8, r8, r12\n"                                                                                    \
                "add r9, r9, r12\n"                                                                                    \
                "ldr r12, [sp, #24]\n"                                                                                 \
                "add r10, r10, lr\n"                                                                                   \
                "subs r12, r12, #1\n"                                                                                  \
                "str r12, [sp, #24]\n"                                                                                 \
                "bne 0b\n"                                                                                             \
                "add sp, sp, #28\n"                                                                                    \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

#define TH_DW16_LIMIT(x, min, max)                                                                                     \
    "ldr r12, " min "\n"                                                                                               \
    "vdup.8 q0, r12\n"                                                                                                 \
    "vmax.s8 " x ", " x ", q0\n"                                                                                       \
    "ldr r12, " max "\n"                                                                                               \
    "vdup.8 q0, r12\n"                                                                                                 \
    "vmin.s8 " x ", " x ", q0\n"
#define TH_DW16_UNLIMITED(x, min, max)

TH_DW16_3X3(th_depthwise16_3x3, TH_HELIUM_SIGN, TH_HELIUM_AWAY, TH_DW16_LIMIT)
/* For outputs of all int8, the zero point the least of them. */
TH_DW16_3X3(th_depthwise16_3x3_relu, TH_HELIUM_NOTHING, TH_HELIUM_NOTHING, TH_DW16_UNLIMITED)

/*
 * One pixel of any kernel; moves its taps on by all groups. r0 stream, r1 and r2 taps, r3 where they are, r4 pairs,
 * r5 single, r6 groups left, r7 output, r8 zero point, r9 the argument, r10 all taps; q4 to q7 sums.
 */
#define TH_DW16_ANY(name, sign, away, limit)                                                                      \
    TH_NAKED void name(const th_depthwise16 *run TH_ASM_ARG)                                                         \
    {                                                                                                                  \
        __asm__("push {r4-r10, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "mov r9, r0\n"                                                                                         \
                "ldr r10, [r9, #36]\n"                                                                                 \
                "ldrd r4, r5, [r9, #40]\n"                                                                             \
                "ldr r7, [r9, #16]\n"                                                                                  \
                "ldr r8, [r9, #24]\n"                                                                                  \
                "ldrd r0, r6, [r9]\n"                                                                                  \
                "0:\n"                                                                                                 \
                "mov r3, r10\n"                                                                                        \
                "vmov.i32 q4, #0\n"                                                                                    \
                "vmov.i32 q5, #0\n"                                                                                    \
                "vmov.i32 q6, #0\n"                                                                                    \
                "vmov.i32 q7, #0\n"                                                                                    \
                "wls lr, r4, 2f\n"                                                                                     \
                "1:\n"                                                                                                 \
                "ldrd r1, r2, [r3]\n" TH_DW16_FIRST("r1", "q2", "q3") TH_DW16_SECOND("r2", "q2", "q3")                 \
                "strd r1, r2, [r3], #8\n" TH_DW16_WIDEN("q2", "q3", "q4", "q5", "q6", "q7")                            \
                "le lr, 1b\n"                                                                                          \
                "2:\n"                                                                                                 \
                "cbz r5, 3f\n"                                                                                         \
                "ldr r1, [r3]\n" TH_DW16_FIRST("r1", "q2", "q3")                                                       \
                "str r1, [r3]\n" TH_DW16_WIDEN("q2", "q3", "q4", "q5", "q6", "q7")                                     \
                "3:\n" TH_DW16_FINISH("q4", "q5", "q6", "q7", "r8", sign, away) limit("q4", "[r9, #28]", "[r9, #32]")  \
                "vstrb.8 q4, [r7], #16\n"                                                                              \
                "subs r6, r6, #1\n"                                                                                    \
                "bne 0b\n"                                                                                             \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r10, pc}\n");                                                                                 \
    }

TH_DW16_ANY(th_depthwise16_any, TH_HELIUM_SIGN, TH_HELIUM_AWAY, TH_DW16_LIMIT)
TH_DW16_ANY(th_depthwise16_any_relu, TH_HELIUM_NOTHING, TH_HELIUM_NOTHING, TH_DW16_UNLIMITED)

#else

/* One pixel; moves its taps on by all groups. */
TH_KERNEL void th_depthwise16_any(const th_depthwise16 *run)
{
    static const int8_t parts[4] = {0, 2, 1, 3};
    const int32_t taps = 2 * run->pairs + run->single;
    const int8_t *stream = run->stream;
    int8_t *output = run->output;
    for (int32_t group = 0; group < run->groups; group++, output += 16, stream += 16 * taps + 144) {
        for (int32_t i = 0; i < 16; i++) {
            const int8_t *scales = stream + 16 * taps + 36 * parts[i & 3];
            int32_t sum = (int32_t)th_load32(scales + (i & ~3));
            for (int32_t t = 0; t < taps; t++) {
                sum += run->taps[t][i] * stream[16 * t + i];
            }
            output[i] = th_helium_finish(sum, (int32_t)th_load32(scales + 16 + (i & ~3)), -scales[32 + (i >> 2)],
                                         run->out_zero, run->min, run->max);
        }
        for (int32_t t = 0; t < taps; t++) {
            run->taps[t] += 16;
        }
    }
}

/* As many pixels as are asked for; leaves the taps as they are. */
TH_KERNEL void th_depthwise16_3x3(const th_depthwise16 *run)
{
    const int8_t *taps[9];
    th_depthwise16 one = *run;
    memcpy(taps, run->taps, sizeof taps);
    one.taps = taps;
    for (int32_t i = 0; i < run->pixels; i++) {
        th_depthwise16_any(&one);
        one.output += 16 * run->groups + run->out_move;
        for (int32_t t = 0; t < 9 && i + 1 < run->pixels; t++) {
            taps[t] += run->in_move;
        }
    }
}

#define th_depthwise16_any_relu th_depthwise16_any
#define th_depthwise16_3x3_relu th_depthwise16_3x3

#endif

#endif
