/*
 * One to eight channels of a depthwise convolution, int8, for Helium: those left of groups of sixteen. Inputs and
 * weights are loaded as 16 bits; products of two taps are added there, as in th_depthwise_helium.h. The stream:
 * weights [taps][channels], and zeros up to a multiple of four bytes; of channels 0, 2, 4, 6 biases, multipliers, and
 * right shifts negated, a byte each; the same of channels 1, 3, 5, 7.
 */
#ifndef TH_DEPTHWISE_HELIUM_8_H
#define TH_DEPTHWISE_HELIUM_8_H

#include "th_helium.h"

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int8_t *stream, *scales;
    int32_t channels;
    int32_t out_zero, min, max;
    int8_t *output;
    const int8_t *const *taps; /* where each tap is */
    int32_t first;             /* the first of the channels */
    int32_t pairs, single;     /* of taps: two at a time, and whether one more */
    /* Of 3x3 kernels: pixels to compute, at least one, and elements from tap to tap and from pixel to pixel. */
    int32_t pixels, tap_step, in_move, out_move;
} th_depthwise8;

#if TH_HELIUM

/* Sums of four channels to 32 bits that are outputs but for zero point and limits. */
#define TH_DW8_SCALE(sum)                                                                                              \
    "vldrw.u32 q0, [r0], #16\n"                                                                                        \
    "vadd.i32 " sum ", " sum ", q0\n"                                                                                  \
    "vldrw.u32 q0, [r0], #16\n"                                                                                        \
    "vshr.s32 q1, " sum ", #31\n"                                                                                      \
    "vqrdmulh.s32 " sum ", " sum ", q0\n"                                                                              \
    "vadd.i32 " sum ", " sum ", q1\n"                                                                                  \
    "vldrb.s32 q1, [r0], #4\n"                                                                                         \
    "vrshl.s32 " sum ", " sum ", q1\n"

/* q3 and q4 sums of even and odd channels; q5 zero point, q6 and q7 limits. */
#define TH_DW8_FINISH                                                                                                  \
    TH_DW8_SCALE("q3")                                                                                                 \
    TH_DW8_SCALE("q4")                                                                                                 \
    "vqmovnb.s32 q3, q3\n"                                                                                             \
    "vqmovnt.s32 q3, q4\n"                                                                                             \
    "vqadd.s16 q3, q3, q5\n"                                                                                           \
    "vmax.s16 q3, q3, q6\n"                                                                                            \
    "vmin.s16 q3, q3, q7\n"

/* Adds sums of 16 bits. */
#define TH_DW8_WIDEN                                                                                                   \
    "vmovlb.s16 q1, q0\n"                                                                                              \
    "vmovlt.s16 q0, q0\n"                                                                                              \
    "vadd.i32 q3, q3, q1\n"                                                                                            \
    "vadd.i32 q4, q4, q0\n"

#define TH_DW8_CONSTANTS                                                                                               \
    "ldr r1, [r0, #12]\n"                                                                                              \
    "vdup.16 q5, r1\n"                                                                                                 \
    "ldrd r1, r2, [r0, #16]\n"                                                                                         \
    "vdup.16 q6, r1\n"                                                                                                 \
    "vdup.16 q7, r2\n"                                                                                                 \
    "ldr r9, [r0, #8]\n"                                                                                               \
    "vctp.16 r9\n"

/*
 * 3x3, all taps inside the image: r0 stream, r1, r2 and r3 rows of the window, r4 from tap to tap, r5 from behind a
 * row to the next pixel's, r6 output, r7 to the next one, r8 weights, r9 channels, r10 scales.
 */
#define TH_DW8_3X3(name, load, weigh)                                                                                  \
    TH_NAKED void name(const th_depthwise8 *run TH_ASM_ARG)                                                            \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n" TH_DW8_CONSTANTS                                                                    \
                "ldrd r8, r10, [r0]\n"                                                                                 \
                "ldrd r6, r7, [r0, #24]\n"                                                                             \
                "ldr r1, [r7]\n"                                                                                       \
                "ldr r2, [r7, #12]\n"                                                                                  \
                "ldr r3, [r7, #24]\n"                                                                                  \
                "ldr r7, [r0, #32]\n"                                                                                  \
                "add r1, r1, r7\n"                                                                                     \
                "add r2, r2, r7\n"                                                                                     \
                "add r3, r3, r7\n"                                                                                     \
                "ldrd lr, r4, [r0, #44]\n"                                                                             \
                "ldrd r5, r7, [r0, #52]\n"                                                                             \
                "sub r5, r5, r4\n"                                                                                     \
                "sub r5, r5, r4, lsl #1\n"                                                                             \
                "dls lr, lr\n"                                                                                         \
                "0:\n"                                                                                                 \
                "mov r0, r8\n" TH_DW8_PAIR(load, weigh, "r1", "r1")                                                    \
                "vmovlb.s16 q3, q0\n"                                                                                  \
                "vmovlt.s16 q4, q0\n" TH_DW8_PAIR(load, weigh, "r1", "r2") TH_DW8_WIDEN                                \
                TH_DW8_PAIR(load, weigh, "r2", "r2") TH_DW8_WIDEN TH_DW8_PAIR(load, weigh, "r3", "r3")                 \
                TH_DW8_WIDEN load("q0", "r3") weigh("q1")                                                              \
                "vmul.i16 q0, q0, q1\n"                                                                                \
                "add r3, r3, r4\n" TH_DW8_WIDEN                                                                        \
                "mov r0, r10\n" TH_DW8_FINISH                                                                          \
                "add r1, r1, r5\n"                                                                                     \
                "add r2, r2, r5\n"                                                                                     \
                "vpst\n"                                                                                               \
                "vstrbt.16 q3, [r6]\n"                                                                                 \
                "add r3, r3, r5\n"                                                                                     \
                "add r6, r6, r7\n"                                                                                     \
                "le lr, 0b\n"                                                                                          \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

/* The sum of the products of two taps in q0. */
#define TH_DW8_PAIR(load, weigh, first, second)                                                                        \
    load("q0", first) weigh("q1")                                                                                      \
    "add " first ", " first ", r4\n"                                                                                   \
    "vmul.i16 q0, q0, q1\n" load("q1", second) weigh("q2")                                                             \
    "add " second ", " second ", r4\n"                                                                                 \
    "vmul.i16 q1, q1, q2\n"                                                                                            \
    "vadd.i16 q0, q0, q1\n"

#define TH_DW8_LOAD_ALL(x, from) "vldrb.s16 " x ", [" from "]\n"
#define TH_DW8_LOAD_SOME(x, from)                                                                                      \
    "vpst\n"                                                                                                           \
    "vldrbt.s16 " x ", [" from "]\n"
#define TH_DW8_WEIGH_ALL(w) "vldrb.s16 " w ", [r0], #8\n"
#define TH_DW8_WEIGH_SOME(w)                                                                                           \
    "vldrb.s16 " w ", [r0]\n"                                                                                          \
    "add r0, r0, r9\n"

/* Eight channels, and less than that. */
TH_DW8_3X3(th_depthwise8_3x3_all, TH_DW8_LOAD_ALL, TH_DW8_WEIGH_ALL)
TH_DW8_3X3(th_depthwise8_3x3_some, TH_DW8_LOAD_SOME, TH_DW8_WEIGH_SOME)

TH_INLINE void th_depthwise8_3x3(const th_depthwise8 *run)
{
    if (run->channels == 8) {
        th_depthwise8_3x3_all(run);
    } else {
        th_depthwise8_3x3_some(run);
    }
}

/*
 * One pixel of any kernel: r0 stream, r1 and r2 taps, r3 where they are, r4 pairs, r5 single, r6 output, r7 first
 * channel, r9 channels.
 */
TH_NAKED void th_depthwise8_any(const th_depthwise8 *run TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "vpush {d8-d15}\n" TH_DW8_CONSTANTS
            "ldrd r8, r10, [r0]\n"
            "ldrd r6, r3, [r0, #24]\n"
            "ldrd r7, r4, [r0, #32]\n"
            "ldr r5, [r0, #40]\n"
            "mov r0, r8\n"
            "vmov.i32 q3, #0\n"
            "vmov.i32 q4, #0\n"
            "wls lr, r4, 1f\n"
            "0:\n"
            "ldrd r1, r2, [r3], #8\n"
            "add r1, r1, r7\n"
            "add r2, r2, r7\n"
            "vpstt\n"
            "vldrbt.s16 q0, [r1]\n"
            "vldrbt.s16 q1, [r2]\n"
            "vldrb.s16 q2, [r0]\n"
            "add r0, r0, r9\n"
            "vmul.i16 q0, q0, q2\n"
            "vldrb.s16 q2, [r0]\n"
            "add r0, r0, r9\n"
            "vmul.i16 q1, q1, q2\n"
            "vadd.i16 q0, q0, q1\n" TH_DW8_WIDEN
            "le lr, 0b\n"
            "1:\n"
            "cbz r5, 2f\n"
            "ldr r1, [r3]\n"
            "add r1, r1, r7\n"
            "vpst\n"
            "vldrbt.s16 q0, [r1]\n"
            "vldrb.s16 q2, [r0]\n"
            "vmul.i16 q0, q0, q2\n" TH_DW8_WIDEN
            "2:\n"
            "mov r0, r10\n" TH_DW8_FINISH
            "vpst\n"
            "vstrbt.16 q3, [r6]\n"
            "vpop {d8-d15}\n"
            "pop {r4-r11, pc}\n");
}

#else

/* The pixel whose taps are `by` elements behind those of the argument. */
TH_INLINE void th_depthwise8_pixel(const th_depthwise8 *run, int32_t by, int8_t *output)
{
    const int32_t channels = run->channels;
    for (int32_t c = 0; c < channels; c++) {
        const int8_t *scales = run->scales + 36 * (c & 1);
        const int32_t i = c >> 1;
        int32_t sum = (int32_t)th_load32(scales + 4 * i);
        for (int32_t t = 0; t < 2 * run->pairs + run->single; t++) {
            sum += run->taps[t][by + run->first + c] * run->stream[t * channels + c];
        }
        output[c] = th_helium_finish(sum, (int32_t)th_load32(scales + 16 + 4 * i), -scales[32 + i], run->out_zero,
                                     run->min,
                                     run->max);
    }
}

TH_INLINE void th_depthwise8_any(const th_depthwise8 *run)
{
    th_depthwise8_pixel(run, 0, run->output);
}

TH_INLINE void th_depthwise8_3x3(const th_depthwise8 *run)
{
    for (int32_t i = 0; i < run->pixels; i++) {
        th_depthwise8_pixel(run, i * run->in_move, run->output + i * run->out_move);
    }
}

#endif

#endif
