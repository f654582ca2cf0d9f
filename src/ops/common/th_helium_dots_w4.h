/*
 * Sums of products of int8 pixels with int4 weights of output channels, for Helium. Of 32 values of a depth the
 * weights of the first 16 are the low halves of 16 bytes, those of the others the high halves; in either half a byte
 * without the other is 16 times the weight, and so are the sums until the finish. What is left of a depth is split
 * the same way. Otherwise the stream is as in th_helium_dots.h.
 */
#ifndef TH_HELIUM_DOTS_W4_H
#define TH_HELIUM_DOTS_W4_H

#include "th_helium_loops.h"

#if TH_HELIUM

/* q7 the high halves of bytes; a pixel's values in q0 and q1, the other's in q2 and q3. */
#define TH_DOTSW4_SETUP                                                                                                \
    "mov r1, #0xf0\n"                                                                                                  \
    "vdup.8 q7, r1\n"

#define TH_DOTSW4_CHANNEL2(raw, op, first, second)                                                                     \
    "vshl.i8 q5, " raw ", #4\n" op ".s8 " first ", q0, q5\n" op ".s8 " second ", q2, q5\n"                             \
    "vand " raw ", " raw ", q7\n"                                                                                      \
    "vmladava.s8 " first ", q1, " raw "\n"                                                                             \
    "vmladava.s8 " second ", q3, " raw "\n"

#define TH_DOTSW4_STEP2(op)                                                                                            \
    "vldrb.u8 q0, [r9], #16\n"                                                                                         \
    "vldrb.u8 q2, [r11], #16\n"                                                                                        \
    "vldrb.u8 q1, [r9], #16\n"                                                                                         \
    "vldrb.u8 q3, [r11], #16\n"                                                                                        \
    "vldrb.u8 q4, [r5], #16\n" TH_DOTSW4_CHANNEL2("q4", op, "r0", "r8")                                                \
    "vldrb.u8 q6, [r5], #16\n" TH_DOTSW4_CHANNEL2("q6", op, "r2", "r10")                                               \
    "vldrb.u8 q4, [r5], #16\n" TH_DOTSW4_CHANNEL2("q4", op, "r4", "r12")                                               \
    "vldrb.u8 q6, [r5], #16\n" TH_DOTSW4_CHANNEL2("q6", op, "r6", "lr")

#define TH_DOTSW4_TAIL2(op)                                                                                            \
    "ldr r7, [sp, #16]\n"                                                                                              \
    "vctp.8 r7\n"                                                                                                      \
    "vpstt\n"                                                                                                          \
    "vldrbt.u8 q0, [r9]\n"                                                                                             \
    "vldrbt.u8 q2, [r11]\n"                                                                                            \
    "add r9, r9, r7\n"                                                                                                 \
    "add r11, r11, r7\n"                                                                                               \
    "ldr r7, [sp, #36]\n"                                                                                              \
    "vctp.8 r7\n"                                                                                                      \
    "vpstt\n"                                                                                                          \
    "vldrbt.u8 q1, [r9]\n"                                                                                             \
    "vldrbt.u8 q3, [r11]\n"                                                                                            \
    "ldr r7, [sp, #16]\n"                                                                                              \
    "vldrb.u8 q4, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL2("q4", op, "r0", "r8")                                                        \
    "vldrb.u8 q6, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL2("q6", op, "r2", "r10")                                                       \
    "vldrb.u8 q4, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL2("q4", op, "r4", "r12")                                                       \
    "vldrb.u8 q6, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL2("q6", op, "r6", "lr")                                                        \
    "sub r7, r9, r7\n"

#define TH_DOTSW4_CHANNEL1(raw, sum)                                                                                   \
    "vshl.i8 q5, " raw ", #4\n"                                                                                        \
    "vmladava.s8 " sum ", q0, q5\n"                                                                                    \
    "vand " raw ", " raw ", q7\n"                                                                                      \
    "vmladava.s8 " sum ", q1, " raw "\n"

#define TH_DOTSW4_STEP1                                                                                                \
    "vldrb.u8 q0, [r1], #16\n"                                                                                         \
    "vldrb.u8 q1, [r1], #16\n"                                                                                         \
    "vldrb.u8 q4, [r5], #16\n" TH_DOTSW4_CHANNEL1("q4", "r0")                                                          \
    "vldrb.u8 q6, [r5], #16\n" TH_DOTSW4_CHANNEL1("q6", "r2")                                                          \
    "vldrb.u8 q4, [r5], #16\n" TH_DOTSW4_CHANNEL1("q4", "r4")                                                          \
    "vldrb.u8 q6, [r5], #16\n" TH_DOTSW4_CHANNEL1("q6", "r6")

#define TH_DOTSW4_TAIL1                                                                                                \
    "cmp r7, #0\n"                                                                                                     \
    "beq.w 3f\n"                                                                                                       \
    "vctp.8 r7\n"                                                                                                      \
    "vpst\n"                                                                                                           \
    "vldrbt.u8 q0, [r1]\n"                                                                                             \
    "add r1, r1, r7\n"                                                                                                 \
    "vctp.8 r11\n"                                                                                                     \
    "vpst\n"                                                                                                           \
    "vldrbt.u8 q1, [r1]\n"                                                                                             \
    "vldrb.u8 q4, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL1("q4", "r0")                                                                  \
    "vldrb.u8 q6, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL1("q6", "r2")                                                                  \
    "vldrb.u8 q4, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL1("q4", "r4")                                                                  \
    "vldrb.u8 q6, [r5]\n"                                                                                              \
    "add r5, r5, r7\n" TH_DOTSW4_CHANNEL1("q6", "r6")

/* r2 zero point, q5 and q6 limits, of the argument at r0. */
#define TH_DOTSW4_LIMITS(argument)                                                                                     \
    "ldrd r2, r4, [" argument ", #32]\n"                                                                               \
    "ldr r6, [" argument ", #40]\n"                                                                                    \
    "vdup.32 q5, r4\n"                                                                                                 \
    "vdup.32 q6, r6\n"

#define TH_DOTSW4_FINISH2                                                                                              \
    "ldr r0, [sp, #32]\n" TH_DOTSW4_LIMITS("r0")                                                                       \
    "vshr.s32 q0, q0, #4\n"                                                                                            \
    "vshr.s32 q1, q1, #4\n"                                                                                            \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, [r5], #16\n"                                                                                        \
    "vadd.i32 q1, q1, q2\n" TH_HELIUM_SIGN("q2", "q0")                                                                 \
    "vqrdmulh.s32 q0, q0, q3\n" TH_HELIUM_AWAY("q2", "q0") TH_HELIUM_SIGN("q2", "q1")                                  \
    "vqrdmulh.s32 q1, q1, q3\n" TH_HELIUM_AWAY("q2", "q1")                                                             \
    "vldrb.s32 q2, [r5], #4\n"                                                                                         \
    "vrshl.s32 q0, q0, q2\n"                                                                                           \
    "vrshl.s32 q1, q1, q2\n"                                                                                           \
    "vadd.i32 q0, q0, r2\n"                                                                                            \
    "vadd.i32 q1, q1, r2\n"                                                                                            \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmax.s32 q1, q1, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrb.32 q0, [r1], #4\n"                                                                                          \
    "vmin.s32 q1, q1, q6\n"                                                                                            \
    "vstrb.32 q1, [r3], #4\n"

/* Of the values left the larger half is the bytes of weights, the other half in the word for the steps' own. */
#define TH_DOTSW4_REST2                                                                                                \
    "lsr r1, r2, #1\n"                                                                                                 \
    "str r1, [sp, #36]\n"                                                                                              \
    "sub r2, r2, r1\n"

TH_DOTS_PAIRS(th_dotsw4_pairs, "32", "26", TH_DOTSW4_REST2, TH_DOTSW4_SETUP,
              TH_DOTS_LONG(TH_DOTSW4_STEP2("vmladav"), TH_DOTSW4_STEP2("vmladava"), TH_DOTSW4_TAIL2("vmladava")),
              TH_DOTSW4_FINISH2)
TH_DOTS_PAIRS(th_dotsw4_short, "32", "26", TH_DOTSW4_REST2, TH_DOTSW4_SETUP, TH_DOTS_SHORT(TH_DOTSW4_TAIL2("vmladav")),
              TH_DOTSW4_FINISH2)

#define TH_DOTSW4_FINISH1                                                                                              \
    TH_DOTSW4_LIMITS("r12")                                                                                            \
    "vshr.s32 q0, q0, #4\n"                                                                                            \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, [r5], #16\n" TH_HELIUM_SIGN("q2", "q0")                                                             \
    "vqrdmulh.s32 q0, q0, q3\n" TH_HELIUM_AWAY("q2", "q0")                                                             \
    "vldrb.s32 q2, [r5], #4\n"                                                                                         \
    "vrshl.s32 q0, q0, q2\n"                                                                                           \
    "vadd.i32 q0, q0, r2\n"                                                                                            \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrb.32 q0, [r3], #4\n"

TH_DOTS_ONE(th_dotsw4_one, "5", "lsr r11, r7, #1\nsub r7, r7, r11\n", TH_DOTSW4_SETUP "mov r12, r0\n", TH_DOTS_ZEROS,
            TH_DOTSW4_STEP1, TH_DOTSW4_TAIL1, TH_DOTSW4_FINISH1, "")

/* The sum of n products. */
TH_INLINE int32_t th_dotsw4_dot(const int8_t *x, const int8_t *w, int32_t n)
{
    const int8x16_t high = vdupq_n_s8(-16);
    int32_t sum = 0;
    for (; n >= 32; n -= 32, x += 32, w += 16) {
        const int8x16_t both = vldrbq_s8(w);
        sum = vmladavaq_s8(sum, vldrbq_s8(x), vshlq_n_s8(both, 4));
        sum = vmladavaq_s8(sum, vldrbq_s8(x + 16), vandq_s8(both, high));
    }
    const int32_t bytes = (n + 1) >> 1;
    const mve_pred16_t some = vctp8q((uint32_t)bytes);
    const int8x16_t both = vldrbq_z_s8(w, some);
    sum = vmladavaq_s8(sum, vldrbq_z_s8(x, some), vshlq_n_s8(both, 4));
    sum = vmladavaq_s8(sum, vldrbq_z_s8(x + bytes, vctp8q((uint32_t)(n - bytes))), vandq_s8(both, high));
    return sum >> 4;
}

#else

/* The sum of n products of values with the low halves of bytes, or with the high ones. */
TH_INLINE int32_t th_dotsw4_half(const int8_t *x, const int8_t *w, int32_t n, int32_t high)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += x[i] * th_int4((const uint8_t *)w, 2 * i + high);
    }
    return sum;
}

/* The sum of n products with weights at w, of which those of 32 more values are `step` further each. */
TH_INLINE int32_t th_dotsw4_strided(const int8_t *x, const int8_t *w, const int8_t *last, int32_t step, int32_t n)
{
    int32_t sum = 0;
    for (; n >= 32; n -= 32, x += 32, w += step) {
        sum += th_dotsw4_half(x, w, 16, 0) + th_dotsw4_half(x + 16, w, 16, 1);
    }
    const int32_t bytes = (n + 1) >> 1;
    return sum + th_dotsw4_half(x, last, bytes, 0) + th_dotsw4_half(x + bytes, last, n - bytes, 1);
}

TH_INLINE int32_t th_dotsw4_dot(const int8_t *x, const int8_t *w, int32_t n)
{
    return th_dotsw4_strided(x, w, w + (n >> 5) * 16, 16, n);
}

TH_INLINE void th_dotsw4_pixel(const th_dots *d)
{
    const int32_t depth = d->depth;
    const int32_t whole = (depth >> 5) * 16;
    const int32_t bytes = ((depth & 31) + 1) >> 1;
    int8_t *output = d->output;
    for (const int8_t *s = d->stream; s != d->end; output += 4) {
        const int8_t *scales = s + 4 * (whole + bytes);
        for (int32_t i = 0; i < 4; i++) {
            const int32_t sum = (int32_t)th_load32(scales + 4 * i) +
                                th_dotsw4_strided(d->input, s + 16 * i, s + 4 * whole + i * bytes, 64, depth);
            output[i] = th_helium_finish(sum, (int32_t)th_load32(scales + 16 + 4 * i), -scales[32 + i], d->out_zero,
                                         d->min, d->max);
        }
        s = scales + 36;
    }
}

TH_KERNEL void th_dotsw4_pairs(th_dots *d)
{
    for (int32_t i = 2 * d->count; i > 0; i--) {
        th_dotsw4_pixel(d);
        d->input += d->in_step;
        d->output += d->out_step;
    }
}

#define th_dotsw4_short th_dotsw4_pairs
#define th_dotsw4_one(d, scale, step) th_dotsw4_pixel(d)

#endif

/*
 * The channels left of groups of four, of which all weights, biases, multipliers and shifts are in the stream at
 * d->end.
 */
TH_ROW void th_dotsw4_rest(const th_dots *d, int32_t pixels, int32_t channels, int8_t *output)
{
    const int32_t bytes = (d->depth + 1) >> 1;
    const int8_t *biases = d->end + ((channels * bytes + 3) & ~3);
    const int8_t *multipliers = biases + 4 * channels;
    const int8_t *input = d->input;
    for (; pixels > 0; pixels--, input += d->in_step, output += d->out_step) {
        for (int32_t i = 0; i < channels; i++) {
            const int32_t sum =
                (int32_t)th_load32(biases + 4 * i) + th_dotsw4_dot(input, d->end + i * bytes, d->depth);
            output[i] = th_helium_finish(sum, (int32_t)th_load32(multipliers + 4 * i), -multipliers[4 * channels + i],
                                         d->out_zero, d->min, d->max);
        }
    }
}

/* Pixels of one row, d->in_step apart, to `channels` outputs each at d->output. Changes what of d moves on. */
TH_KERNEL void th_dotsw4_pixels(th_dots *d, int32_t pixels, int32_t channels)
{
    const int32_t fours = channels & ~3;
    if (channels > fours) {
        th_dotsw4_rest(d, pixels, channels - fours, d->output + fours);
    }
    if (fours > 0 && pixels > 1) {
        d->count = pixels >> 1;
        if (d->depth < 32) {
            th_dotsw4_short(d);
        } else {
            th_dotsw4_pairs(d);
        }
    }
    if (fours > 0 && (pixels & 1)) {
        th_dotsw4_one(d, NULL, 0);
    }
}

#endif
