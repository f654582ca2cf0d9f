/*
 * Sums of products of pixels with the weights of output channels, int8, for Helium: all channels of one pixel after
 * another. VMLADAVA.S8 adds 16 products to a register. Two pixels are multiplied with four channels at a time: 16
 * values of a depth take 6 loads and 8 of those; what is left of a depth is loaded under a predicate, with zeros for
 * what lies behind.
 *
 * The stream of four channels: for each 16 of the depth their weights, channel by channel, then what is left of it;
 * biases, multipliers, right shifts negated, a byte each. Of the last one to three channels: all weights of each, and
 * zeros up to a multiple of four bytes; biases, multipliers, and four such shifts. weighted-helium.ts packs this.
 */
#ifndef TH_HELIUM_DOTS_H
#define TH_HELIUM_DOTS_H

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
 * of the first pixel's whole steps; r1 and r3 outputs; q4 zero point, q5 and q6 limits. On the stack: the pixels,
 * where to go after the first step and after the last, the depth behind whole steps, stream, its end, bytes of whole
 * steps, the argument.
 */
#define TH_DOTS_STEP2(op)                                                                                              \
    "vldrb.u8 q0, [r9], #16\n"                                                                                         \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r0, q0, q2\n"                                                                   \
    "vldrb.u8 q1, [r11], #16\n" op ".s8 r8, q1, q2\n"                                                                  \
    "vldrb.u8 q3, [r5], #16\n" op ".s8 r2, q0, q3\n" op ".s8 r10, q1, q3\n"                                            \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r4, q0, q2\n" op ".s8 r12, q1, q2\n"                                            \
    "vldrb.u8 q3, [r5], #16\n" op ".s8 r6, q0, q3\n" op ".s8 lr, q1, q3\n"

#define TH_DOTS_PAIRS(name, sign, away)                                                                                \
    TH_NAKED void name(th_dots *dots TH_ASM_ARG)                                                                       \
    {                                                                                                                  \
        __asm__(".balign 4\n"                                                                                          \
                "push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d13}\n"                                                                                     \
                "sub sp, sp, #36\n"                                                                                    \
                "ldrd r1, r2, [r0, #32]\n"                                                                             \
                "ldr r3, [r0, #40]\n"                                                                                  \
                "vdup.32 q4, r1\n"                                                                                     \
                "vdup.32 q5, r2\n"                                                                                     \
                "vdup.32 q6, r3\n"                                                                                     \
                "ldr r1, [r0, #28]\n"                                                                                  \
                "and r2, r1, #15\n"                                                                                    \
                "bic r3, r1, #15\n"                                                                                    \
                "vctp.8 r2\n"                                                                                          \
                "adr.w r4, 5f\n"                                                                                       \
                "adr.w r5, 6f\n"                                                                                       \
                "cmp r2, #0\n"                                                                                         \
                "it eq\n"                                                                                              \
                "moveq r4, r5\n"                                                                                       \
                "orr r4, r4, #1\n"                                                                                     \
                "adr.w r5, 2f\n"                                                                                       \
                "adr.w r6, 3f\n"                                                                                       \
                "lsls r7, r3, #27\n"                                                                                   \
                "it eq\n"                                                                                              \
                "moveq r5, r6\n"                                                                                       \
                "orr r5, r5, #1\n"                                                                                     \
                "cmp r3, #16\n"                                                                                        \
                "it eq\n"                                                                                              \
                "moveq r5, r4\n"                                                                                       \
                "strd r5, r4, [sp, #8]\n"                                                                              \
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
                "1:\n" TH_DOTS_STEP2("vmladav")                                                                        \
                "ldr pc, [sp, #8]\n"                                                                                   \
                "2:\n" TH_DOTS_STEP2("vmladava")                                                                       \
                "3:\n" TH_DOTS_STEP2("vmladava")                                                                       \
                "cmp r9, r7\n"                                                                                         \
                "bne 2b\n"                                                                                             \
                "ldr pc, [sp, #12]\n"                                                                                  \
                "5:\n"                                                                                                 \
                "ldr r7, [sp, #16]\n"                                                                                  \
                "vpstt\n"                                                                                              \
                "vldrbt.u8 q0, [r9]\n"                                                                                 \
                "vldrbt.u8 q1, [r11]\n"                                                                                \
                "vldrb.u8 q2, [r5]\n"                                                                                  \
                "vmladava.s8 r0, q0, q2\n"                                                                             \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r8, q1, q2\n"                                                                             \
                "vldrb.u8 q3, [r5]\n"                                                                                  \
                "vmladava.s8 r2, q0, q3\n"                                                                             \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r10, q1, q3\n"                                                                            \
                "vldrb.u8 q2, [r5]\n"                                                                                  \
                "vmladava.s8 r4, q0, q2\n"                                                                             \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r12, q1, q2\n"                                                                            \
                "vldrb.u8 q3, [r5]\n"                                                                                  \
                "vmladava.s8 r6, q0, q3\n"                                                                             \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 lr, q1, q3\n"                                                                             \
                "mov r7, r9\n"                                                                                         \
                "6:\n"                                                                                                 \
                "vmov q0[2], q0[0], r0, r4\n"                                                                          \
                "vldrw.u32 q2, [r5], #16\n"                                                                            \
                "vmov q0[3], q0[1], r2, r6\n"                                                                          \
                "vmov q1[2], q1[0], r8, r12\n"                                                                         \
                "vadd.i32 q0, q0, q2\n"                                                                                \
                "vmov q1[3], q1[1], r10, lr\n"                                                                         \
                "vldrw.u32 q3, [r5], #16\n"                                                                            \
                "vadd.i32 q1, q1, q2\n" sign("q2", "q0") "vqrdmulh.s32 q0, q0, q3\n" away("q2", "q0")                  \
                sign("q2", "q1") "vqrdmulh.s32 q1, q1, q3\n" away("q2", "q1")                                          \
                "vldrb.s32 q2, [r5], #4\n"                                                                             \
                "vrshl.s32 q0, q0, q2\n"                                                                               \
                "ldr r0, [sp, #24]\n"                                                                                  \
                "vrshl.s32 q1, q1, q2\n"                                                                               \
                "vadd.i32 q0, q0, q4\n"                                                                                \
                "ldrd r9, r11, [sp]\n"                                                                                 \
                "vadd.i32 q1, q1, q4\n"                                                                                \
                "vmax.s32 q0, q0, q5\n"                                                                                \
                "vmax.s32 q1, q1, q5\n"                                                                                \
                "vmin.s32 q0, q0, q6\n"                                                                                \
                "vstrb.32 q0, [r1], #4\n"                                                                              \
                "vmin.s32 q1, q1, q6\n"                                                                                \
                "vstrb.32 q1, [r3], #4\n"                                                                              \
                "cmp r5, r0\n"                                                                                         \
                "bne 1b\n"                                                                                             \
                "ldr r0, [sp, #32]\n"                                                                                  \
                "ldr r1, [r0, #24]\n"                                                                                  \
                "subs r1, r1, #1\n"                                                                                    \
                "str r1, [r0, #24]\n"                                                                                  \
                "bne 0b\n"                                                                                             \
                "add sp, sp, #36\n"                                                                                    \
                "vpop {d8-d13}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

TH_DOTS_PAIRS(th_dots_pairs, TH_HELIUM_SIGN, TH_HELIUM_AWAY)
TH_DOTS_PAIRS(th_dots_pairs_relu, TH_HELIUM_NOTHING, TH_HELIUM_NOTHING)

/*
 * One pixel, or a vector that a fully connected layer takes: r0, r2, r4, r6 sums, r1 pixel, r5 stream, r9 its end, r3
 * output, r8 whole steps, r7 the depth behind them, r10 the pixel's beginning; q4 zero point, q5 and q6 limits. The
 * scales are at r11, which is moved on by r12, or in the stream.
 */
#define TH_DOTS_STEP1                                                                                                  \
    "vldrb.u8 q1, [r5], #16\n"                                                                                         \
    "vmladava.s8 r0, q0, q1\n"                                                                                         \
    "vldrb.u8 q2, [r5], #16\n"                                                                                         \
    "vmladava.s8 r2, q0, q2\n"                                                                                         \
    "vldrb.u8 q1, [r5], #16\n"                                                                                         \
    "vmladava.s8 r4, q0, q1\n"                                                                                         \
    "vldrb.u8 q2, [r5], #16\n"                                                                                         \
    "vmladava.s8 r6, q0, q2\n"

#define TH_DOTS_ONE(name, scales, shifts)                                                                              \
    TH_NAKED void name(const th_dots *dots TH_ASM_ARG, const int8_t *scale TH_ASM_ARG,                                 \
                       int32_t scale_step TH_ASM_ARG)                                                                  \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d13}\n"                                                                                     \
                "mov r11, r1\n"                                                                                        \
                "mov r12, r2\n"                                                                                        \
                "ldrd r1, r2, [r0, #32]\n"                                                                             \
                "ldr r3, [r0, #40]\n"                                                                                  \
                "vdup.32 q4, r1\n"                                                                                     \
                "vdup.32 q5, r2\n"                                                                                     \
                "vdup.32 q6, r3\n"                                                                                     \
                "ldr r1, [r0, #28]\n"                                                                                  \
                "and r7, r1, #15\n"                                                                                    \
                "lsr r8, r1, #4\n"                                                                                     \
                "vctp.8 r7\n"                                                                                          \
                "ldrd r5, r9, [r0]\n"                                                                                  \
                "ldrd r10, r3, [r0, #8]\n"                                                                             \
                "0:\n"                                                                                                 \
                "mov r1, r10\n"                                                                                        \
                "mov r0, #0\n"                                                                                         \
                "mov r2, #0\n"                                                                                         \
                "mov r4, #0\n"                                                                                         \
                "mov r6, #0\n"                                                                                         \
                "wls lr, r8, 2f\n"                                                                                     \
                "1:\n"                                                                                                 \
                "vldrb.u8 q0, [r1], #16\n" TH_DOTS_STEP1                                                               \
                "le lr, 1b\n"                                                                                          \
                "2:\n"                                                                                                 \
                "cbz r7, 3f\n"                                                                                         \
                "vpst\n"                                                                                               \
                "vldrbt.u8 q0, [r1]\n"                                                                                 \
                "vldrb.u8 q1, [r5]\n"                                                                                  \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r0, q0, q1\n"                                                                             \
                "vldrb.u8 q2, [r5]\n"                                                                                  \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r2, q0, q2\n"                                                                             \
                "vldrb.u8 q1, [r5]\n"                                                                                  \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r4, q0, q1\n"                                                                             \
                "vldrb.u8 q2, [r5]\n"                                                                                  \
                "add r5, r5, r7\n"                                                                                     \
                "vmladava.s8 r6, q0, q2\n"                                                                             \
                "3:\n"                                                                                                 \
                "vmov q0[2], q0[0], r0, r4\n"                                                                          \
                "vldrw.u32 q2, [r5], #16\n"                                                                            \
                "vmov q0[3], q0[1], r2, r6\n"                                                                          \
                "vadd.i32 q0, q0, q2\n"                                                                                \
                "vldrw.u32 q3, " scales "\n" TH_HELIUM_SIGN("q2", "q0")                                                \
                "vqrdmulh.s32 q0, q0, q3\n" TH_HELIUM_AWAY("q2", "q0") shifts                                          \
                "vrshl.s32 q0, q0, q2\n"                                                                               \
                "vadd.i32 q0, q0, q4\n"                                                                                \
                "vmax.s32 q0, q0, q5\n"                                                                                \
                "vmin.s32 q0, q0, q6\n"                                                                                \
                "vstrb.32 q0, [r3], #4\n"                                                                              \
                "cmp r5, r9\n"                                                                                         \
                "bne 0b\n"                                                                                             \
                "vpop {d8-d13}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

TH_DOTS_ONE(th_dots_one, "[r5], #16", "vldrb.s32 q2, [r5], #4\n")
TH_DOTS_ONE(th_dots_scaled, "[r11]", "mov r0, r11\nadd r11, r11, r12\nvldrb.s32 q2, [r0, #16]\n")

#else

/* The products of two vectors. */
TH_INLINE int32_t th_dot(const int8_t *x, const int8_t *y, int32_t n)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

/* Four channels of a pixel; the scales are four multipliers and shifts as in a stream. */
TH_INLINE const int8_t *th_dots_four(const th_dots *d, const int8_t *stream, const int8_t *input, const int8_t *scales,
                                     int8_t *output)
{
    const int32_t whole = d->depth & ~15;
    const int32_t rest = d->depth & 15;
    const int8_t *biases = stream + 4 * d->depth;
    scales = scales ? scales : biases + 16;
    for (int32_t i = 0; i < 4; i++) {
        int32_t sum = (int32_t)th_load32(biases + 4 * i) + th_dot(input + whole, stream + 4 * whole + i * rest, rest);
        for (int32_t k = 0; k < whole; k += 16) {
            sum += th_dot(input + k, stream + 4 * k + 16 * i, 16);
        }
        output[i] = th_helium_finish(sum, (int32_t)th_load32(scales + 4 * i), -scales[16 + i], d->out_zero, d->min,
                                     d->max);
    }
    return biases + 16;
}

TH_KERNEL void th_dots_one(const th_dots *d, const int8_t *scale, int32_t scale_step)
{
    int8_t *output = d->output;
    (void)scale;
    (void)scale_step;
    for (const int8_t *s = d->stream; s != d->end; output += 4) {
        s = th_dots_four(d, s, d->input, NULL, output) + 20;
    }
}

TH_KERNEL void th_dots_scaled(const th_dots *d, const int8_t *scale, int32_t scale_step)
{
    int8_t *output = d->output;
    for (const int8_t *s = d->stream; s != d->end; output += 4, scale += scale_step) {
        s = th_dots_four(d, s, d->input, scale, output);
    }
}

TH_KERNEL void th_dots_pairs(th_dots *d)
{
    for (; d->count > 0; d->count--) {
        for (int32_t i = 0; i < 2; i++) {
            th_dots_one(d, NULL, 0);
            d->input += d->in_step;
            d->output += d->out_step;
        }
    }
}

#define th_dots_pairs_relu th_dots_pairs

#endif

#endif
