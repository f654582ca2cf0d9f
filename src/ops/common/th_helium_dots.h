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

#include "th_helium_loops.h"

#if TH_HELIUM

/* q4 zero point, q5 and q6 limits; bytes behind whole steps are loaded under a predicate. */
#define TH_DOTS_SETUP                                                                                                  \
    "ldrd r1, r2, [r0, #32]\n"                                                                                         \
    "ldr r3, [r0, #40]\n"                                                                                              \
    "vdup.32 q4, r1\n"                                                                                                 \
    "vdup.32 q5, r2\n"                                                                                                 \
    "vdup.32 q6, r3\n"

#define TH_DOTS_STEP2(op)                                                                                              \
    "vldrb.u8 q0, [r9], #16\n"                                                                                         \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r0, q0, q2\n"                                                                   \
    "vldrb.u8 q1, [r11], #16\n" op ".s8 r8, q1, q2\n"                                                                  \
    "vldrb.u8 q3, [r5], #16\n" op ".s8 r2, q0, q3\n" op ".s8 r10, q1, q3\n"                                            \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r4, q0, q2\n" op ".s8 r12, q1, q2\n"                                            \
    "vldrb.u8 q3, [r5], #16\n" op ".s8 r6, q0, q3\n" op ".s8 lr, q1, q3\n"

#define TH_DOTS_TAIL2                                                                                                  \
    "ldr r7, [sp, #16]\n"                                                                                              \
    "vpstt\n"                                                                                                          \
    "vldrbt.u8 q0, [r9]\n"                                                                                             \
    "vldrbt.u8 q1, [r11]\n"                                                                                            \
    "vldrb.u8 q2, [r5]\n"                                                                                              \
    "vmladava.s8 r0, q0, q2\n"                                                                                         \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r8, q1, q2\n"                                                                                         \
    "vldrb.u8 q3, [r5]\n"                                                                                              \
    "vmladava.s8 r2, q0, q3\n"                                                                                         \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r10, q1, q3\n"                                                                                        \
    "vldrb.u8 q2, [r5]\n"                                                                                              \
    "vmladava.s8 r4, q0, q2\n"                                                                                         \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r12, q1, q2\n"                                                                                        \
    "vldrb.u8 q3, [r5]\n"                                                                                              \
    "vmladava.s8 r6, q0, q3\n"                                                                                         \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 lr, q1, q3\n"                                                                                         \
    "mov r7, r9\n"

#define TH_DOTS_FINISH2(sign, away)                                                                                    \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, [r5], #16\n"                                                                                        \
    "vadd.i32 q1, q1, q2\n" sign("q2", "q0") "vqrdmulh.s32 q0, q0, q3\n" away("q2", "q0")                              \
    sign("q2", "q1") "vqrdmulh.s32 q1, q1, q3\n" away("q2", "q1")                                                      \
    "vldrb.s32 q2, [r5], #4\n"                                                                                         \
    "vrshl.s32 q0, q0, q2\n"                                                                                           \
    "vrshl.s32 q1, q1, q2\n"                                                                                           \
    "vadd.i32 q0, q0, q4\n"                                                                                            \
    "vadd.i32 q1, q1, q4\n"                                                                                            \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmax.s32 q1, q1, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrb.32 q0, [r1], #4\n"                                                                                          \
    "vmin.s32 q1, q1, q6\n"                                                                                            \
    "vstrb.32 q1, [r3], #4\n"

TH_DOTS_PAIRS(th_dots_pairs, "16", "27", "vctp.8 r2\n", TH_DOTS_SETUP,
              TH_DOTS_LONG(TH_DOTS_STEP2("vmladav"), TH_DOTS_STEP2("vmladava"), TH_DOTS_TAIL2),
              TH_DOTS_FINISH2(TH_HELIUM_SIGN, TH_HELIUM_AWAY))
TH_DOTS_PAIRS(th_dots_pairs_relu, "16", "27", "vctp.8 r2\n", TH_DOTS_SETUP,
              TH_DOTS_LONG(TH_DOTS_STEP2("vmladav"), TH_DOTS_STEP2("vmladava"), TH_DOTS_TAIL2),
              TH_DOTS_FINISH2(TH_HELIUM_NOTHING, TH_HELIUM_NOTHING))

#define TH_DOTS_STEP1(op)                                                                                              \
    "vldrb.u8 q0, [r1], #16\n"                                                                                         \
    "vldrb.u8 q1, [r5], #16\n" op ".s8 r0, q0, q1\n"                                                                   \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r2, q0, q2\n"                                                                   \
    "vldrb.u8 q1, [r5], #16\n" op ".s8 r4, q0, q1\n"                                                                   \
    "vldrb.u8 q2, [r5], #16\n" op ".s8 r6, q0, q2\n"

#define TH_DOTS_TAIL1                                                                                                  \
    "cbz r7, 3f\n"                                                                                                     \
    "vpst\n"                                                                                                           \
    "vldrbt.u8 q0, [r1]\n"                                                                                             \
    "vldrb.u8 q1, [r5]\n"                                                                                              \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r0, q0, q1\n"                                                                                         \
    "vldrb.u8 q2, [r5]\n"                                                                                              \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r2, q0, q2\n"                                                                                         \
    "vldrb.u8 q1, [r5]\n"                                                                                              \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r4, q0, q1\n"                                                                                         \
    "vldrb.u8 q2, [r5]\n"                                                                                              \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s8 r6, q0, q2\n"

#define TH_DOTS_FINISH1(scales, shifts, sign, away)                                                                    \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, " scales "\n" sign("q2", "q0")                                                                      \
    "vqrdmulh.s32 q0, q0, q3\n" away("q2", "q0") shifts                                                                \
    "vrshl.s32 q0, q0, q2\n"                                                                                           \
    "vadd.i32 q0, q0, q4\n"                                                                                            \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrb.32 q0, [r3], #4\n"

#define TH_DOTS_ONE_S8(name, setup, finish)                                                                            \
    TH_DOTS_ONE(name, "4", "vctp.8 r7\nsub r8, r8, #1\n", setup, TH_DOTS_FIRST(TH_DOTS_STEP1("vmladav")),              \
                TH_DOTS_STEP1("vmladava"), TH_DOTS_TAIL1, finish, TH_DOTS_NONE)

/* With the scales in the stream, and at `scale`, each `scale_step` behind the last. */
TH_DOTS_ONE_S8(th_dots_one, TH_DOTS_SETUP,
               TH_DOTS_FINISH1("[r5], #16", "vldrb.s32 q2, [r5], #4\n", TH_HELIUM_SIGN, TH_HELIUM_AWAY))
TH_DOTS_ONE_S8(th_dots_one_relu, TH_DOTS_SETUP,
               TH_DOTS_FINISH1("[r5], #16", "vldrb.s32 q2, [r5], #4\n", TH_HELIUM_NOTHING, TH_HELIUM_NOTHING))
TH_DOTS_ONE_S8(th_dots_scaled, TH_DOTS_SETUP,
               TH_DOTS_FINISH1("[r11]", "mov r0, r11\nadd r11, r11, r12\nvldrb.s32 q2, [r0, #16]\n", TH_HELIUM_SIGN,
                               TH_HELIUM_AWAY))

/*
 * Adds the sums of four outputs after another to those at d->output, int32, from streams that are `scale_step` bytes
 * further apart than there is depth; what follows the weights is not used.
 */
TH_DOTS_ONE_S8(th_dots_add, "",
               "vldrw.u32 q2, [r3]\n"
               "vadd.i32 q0, q0, q2\n"
               "vstrw.32 q0, [r3], #16\n"
               "add r5, r5, r12\n")

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

TH_KERNEL void th_dots_add(const th_dots *d, const int8_t *scale, int32_t scale_step)
{
    int32_t *sums = (int32_t *)(void *)d->output;
    const int32_t whole = d->depth & ~15;
    const int32_t rest = d->depth & 15;
    (void)scale;
    for (const int8_t *s = d->stream; s != d->end; s += 4 * d->depth + 16 + scale_step) {
        for (int32_t i = 0; i < 4; i++) {
            *sums += th_dot(d->input + whole, s + 4 * whole + i * rest, rest);
            for (int32_t k = 0; k < whole; k += 16) {
                *sums += th_dot(d->input + k, s + 4 * k + 16 * i, 16);
            }
            sums++;
        }
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
#define th_dots_one_relu th_dots_one

#endif

#endif
