/*
 * Sums of products of int16 pixels with int8 weights of output channels, for Helium: VMLADAVA.S16 adds 8 products to
 * a register of 32 bits, which no sum leaves, or which sums are modulo of. As th_helium_dots.h, but with 8 of the
 * depth at a time, and other scales in the stream: biases and multipliers, then right shifts negated, a byte each,
 * where sums are rounded twice. Where they are rounded once, multipliers are shifted so far to the left that VQRDMULH
 * rounds as the reference does. Zero points are 0.
 */
#ifndef TH_HELIUM_DOTS_S16_H
#define TH_HELIUM_DOTS_S16_H

#include "th_helium_loops.h"

#if TH_HELIUM

/* q5 and q6 limits; values behind whole steps are loaded under a predicate. */
#define TH_DOTS16_SETUP                                                                                                \
    "ldrd r2, r3, [r0, #36]\n"                                                                                         \
    "vdup.32 q5, r2\n"                                                                                                 \
    "vdup.32 q6, r3\n"

#define TH_DOTS16_STEP2(op)                                                                                            \
    "vldrh.u16 q0, [r9], #16\n"                                                                                        \
    "vldrb.s16 q2, [r5], #8\n" op ".s16 r0, q0, q2\n"                                                                  \
    "vldrh.u16 q1, [r11], #16\n" op ".s16 r8, q1, q2\n"                                                                \
    "vldrb.s16 q3, [r5], #8\n" op ".s16 r2, q0, q3\n" op ".s16 r10, q1, q3\n"                                          \
    "vldrb.s16 q2, [r5], #8\n" op ".s16 r4, q0, q2\n" op ".s16 r12, q1, q2\n"                                          \
    "vldrb.s16 q3, [r5], #8\n" op ".s16 r6, q0, q3\n" op ".s16 lr, q1, q3\n"

#define TH_DOTS16_TAIL2(op)                                                                                            \
    "ldr r7, [sp, #16]\n"                                                                                              \
    "vpstt\n"                                                                                                          \
    "vldrht.u16 q0, [r9]\n"                                                                                            \
    "vldrht.u16 q1, [r11]\n"                                                                                           \
    "vldrb.s16 q2, [r5]\n" op ".s16 r0, q0, q2\n"                                                                      \
    "add r5, r5, r7\n" op ".s16 r8, q1, q2\n"                                                                          \
    "vldrb.s16 q3, [r5]\n" op ".s16 r2, q0, q3\n"                                                                      \
    "add r5, r5, r7\n" op ".s16 r10, q1, q3\n"                                                                         \
    "vldrb.s16 q2, [r5]\n" op ".s16 r4, q0, q2\n"                                                                      \
    "add r5, r5, r7\n" op ".s16 r12, q1, q2\n"                                                                         \
    "vldrb.s16 q3, [r5]\n" op ".s16 r6, q0, q3\n"                                                                      \
    "add r5, r5, r7\n" op ".s16 lr, q1, q3\n"                                                                          \
    "mov r7, r9\n"

#define TH_DOTS16_ONCE2                                                                                                \
    "vqrdmulh.s32 q0, q0, q3\n"                                                                                        \
    "vqrdmulh.s32 q1, q1, q3\n"
#define TH_DOTS16_TWICE2                                                                                               \
    TH_HELIUM_SIGN("q2", "q0") "vqrdmulh.s32 q0, q0, q3\n" TH_HELIUM_AWAY("q2", "q0")                                  \
    TH_HELIUM_SIGN("q2", "q1") "vqrdmulh.s32 q1, q1, q3\n" TH_HELIUM_AWAY("q2", "q1")                                  \
    "vldrb.s32 q2, [r5], #4\n"                                                                                         \
    "vrshl.s32 q0, q0, q2\n"                                                                                           \
    "vrshl.s32 q1, q1, q2\n"

#define TH_DOTS16_FINISH2(scale)                                                                                       \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, [r5], #16\n"                                                                                        \
    "vadd.i32 q1, q1, q2\n" scale                                                                                      \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmax.s32 q1, q1, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrh.32 q0, [r1], #8\n"                                                                                          \
    "vmin.s32 q1, q1, q6\n"                                                                                            \
    "vstrh.32 q1, [r3], #8\n"

#define TH_DOTS16_PAIRS(name, body, scale)                                                                             \
    TH_DOTS_PAIRS(name, "16", "27", "vctp.8 r2\nlsr r2, r2, #1\n", TH_DOTS16_SETUP, body, TH_DOTS16_FINISH2(scale))
#define TH_DOTS16_LONG                                                                                                 \
    TH_DOTS_LONG(TH_DOTS16_STEP2("vmladav"), TH_DOTS16_STEP2("vmladava"), TH_DOTS16_TAIL2("vmladava"))
#define TH_DOTS16_SHORT TH_DOTS_SHORT(TH_DOTS16_TAIL2("vmladav"))

TH_DOTS16_PAIRS(th_dots16_pairs, TH_DOTS16_LONG, TH_DOTS16_ONCE2)
TH_DOTS16_PAIRS(th_dots16_pairs_twice, TH_DOTS16_LONG, TH_DOTS16_TWICE2)
TH_DOTS16_PAIRS(th_dots16_short, TH_DOTS16_SHORT, TH_DOTS16_ONCE2)
TH_DOTS16_PAIRS(th_dots16_short_twice, TH_DOTS16_SHORT, TH_DOTS16_TWICE2)

#define TH_DOTS16_STEP1                                                                                                \
    "vldrh.u16 q0, [r1], #16\n"                                                                                        \
    "vldrb.s16 q1, [r5], #8\n"                                                                                         \
    "vmladava.s16 r0, q0, q1\n"                                                                                        \
    "vldrb.s16 q2, [r5], #8\n"                                                                                         \
    "vmladava.s16 r2, q0, q2\n"                                                                                        \
    "vldrb.s16 q1, [r5], #8\n"                                                                                         \
    "vmladava.s16 r4, q0, q1\n"                                                                                        \
    "vldrb.s16 q2, [r5], #8\n"                                                                                         \
    "vmladava.s16 r6, q0, q2\n"

#define TH_DOTS16_TAIL1                                                                                                \
    "cbz r7, 3f\n"                                                                                                     \
    "vpst\n"                                                                                                           \
    "vldrht.u16 q0, [r1]\n"                                                                                            \
    "vldrb.s16 q1, [r5]\n"                                                                                             \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s16 r0, q0, q1\n"                                                                                        \
    "vldrb.s16 q2, [r5]\n"                                                                                             \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s16 r2, q0, q2\n"                                                                                        \
    "vldrb.s16 q1, [r5]\n"                                                                                             \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s16 r4, q0, q1\n"                                                                                        \
    "vldrb.s16 q2, [r5]\n"                                                                                             \
    "add r5, r5, r7\n"                                                                                                 \
    "vmladava.s16 r6, q0, q2\n"

#define TH_DOTS16_ONCE1 "vqrdmulh.s32 q0, q0, q3\n"
#define TH_DOTS16_TWICE1                                                                                               \
    TH_HELIUM_SIGN("q2", "q0") "vqrdmulh.s32 q0, q0, q3\n" TH_HELIUM_AWAY("q2", "q0")                                  \
    "vldrb.s32 q2, [r5], #4\n"                                                                                         \
    "vrshl.s32 q0, q0, q2\n"

#define TH_DOTS16_FINISH1(scale)                                                                                       \
    "vadd.i32 q0, q0, q2\n"                                                                                            \
    "vldrw.u32 q3, [r5], #16\n" scale                                                                                  \
    "vmax.s32 q0, q0, q5\n"                                                                                            \
    "vmin.s32 q0, q0, q6\n"                                                                                            \
    "vstrh.32 q0, [r3], #8\n"

TH_DOTS_ONE(th_dots16_one, "4", "vctp.8 r7\nlsr r7, r7, #1\n", TH_DOTS16_SETUP, TH_DOTS_ZEROS, TH_DOTS16_STEP1,
            TH_DOTS16_TAIL1, TH_DOTS16_FINISH1(TH_DOTS16_ONCE1), "")
TH_DOTS_ONE(th_dots16_one_twice, "4", "vctp.8 r7\nlsr r7, r7, #1\n", TH_DOTS16_SETUP, TH_DOTS_ZEROS, TH_DOTS16_STEP1,
            TH_DOTS16_TAIL1, TH_DOTS16_FINISH1(TH_DOTS16_TWICE1), "")

/* The sum of n products. */
TH_INLINE int32_t th_dots16_dot(const int8_t *x, const int8_t *w, int32_t n)
{
    int32_t sum = 0;
    __asm__("wlstp.16 lr, %[n], 1f\n"
            "0:\n"
            "vldrh.u16 q0, [%[x]], #16\n"
            "vldrb.s16 q1, [%[w]], #8\n"
            "vmladava.s16 %[sum], q0, q1\n"
            "letp lr, 0b\n"
            "1:"
            : [sum] "+Te"(sum), [x] "+r"(x), [w] "+l"(w)
            : [n] "r"(n)
            : "lr", "q0", "q1", "memory");
    return sum;
}

#else

/* The sum of n products, modulo 2^32. */
TH_INLINE int32_t th_dots16_dot(const int8_t *x, const int8_t *w, int32_t n)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        int16_t value;
        memcpy(&value, x + 2 * i, sizeof value);
        sum += (uint32_t)(value * w[i]);
    }
    return (int32_t)sum;
}

/* Four channels of a pixel; returns the stream behind them. */
TH_INLINE const int8_t *th_dots16_four(const th_dots *d, const int8_t *stream, int8_t *output, int twice)
{
    const int32_t depth = d->depth >> 1;
    const int32_t whole = depth & ~7;
    const int32_t rest = depth & 7;
    const int8_t *scales = stream + 4 * depth;
    for (int32_t i = 0; i < 4; i++) {
        uint32_t sum = th_load32(scales + 4 * i);
        for (int32_t k = 0; k < whole; k += 8) {
            sum += (uint32_t)th_dots16_dot(d->input + 2 * k, stream + 4 * k + 8 * i, 8);
        }
        sum += (uint32_t)th_dots16_dot(d->input + 2 * whole, stream + 4 * whole + i * rest, rest);
        const int32_t right = twice ? -scales[32 + i] : 0;
        const int32_t scaled = th_requantize((int32_t)sum, (int32_t)th_load32(scales + 16 + 4 * i), -right);
        const int16_t value = (int16_t)th_clamp(scaled, d->min, d->max);
        memcpy(output + 2 * i, &value, sizeof value);
    }
    return scales + (twice ? 36 : 32);
}

TH_INLINE void th_dots16_pixel(const th_dots *d, int twice)
{
    int8_t *output = d->output;
    for (const int8_t *s = d->stream; s != d->end; output += 8) {
        s = th_dots16_four(d, s, output, twice);
    }
}

TH_INLINE void th_dots16_pairs_of(th_dots *d, int twice)
{
    for (int32_t i = 2 * d->count; i > 0; i--) {
        th_dots16_pixel(d, twice);
        d->input += d->in_step;
        d->output += d->out_step;
    }
}

#define th_dots16_pairs(d) th_dots16_pairs_of(d, 0)
#define th_dots16_pairs_twice(d) th_dots16_pairs_of(d, 1)
#define th_dots16_short(d) th_dots16_pairs_of(d, 0)
#define th_dots16_short_twice(d) th_dots16_pairs_of(d, 1)
#define th_dots16_one(d, scale, step) th_dots16_pixel(d, 0)
#define th_dots16_one_twice(d, scale, step) th_dots16_pixel(d, 1)

#endif

/*
 * The channels left of groups of four, of which all weights, biases, multipliers and shifts are in the stream at
 * d->end.
 */
TH_ROW void th_dots16_rest(const th_dots *d, int32_t pixels, int32_t channels, int8_t *output, int twice)
{
    const int32_t depth = d->depth >> 1;
    const int8_t *biases = d->end + ((channels * depth + 3) & ~3);
    const int8_t *multipliers = biases + 4 * channels;
    const int8_t *input = d->input;
    for (; pixels > 0; pixels--, input += d->in_step, output += d->out_step) {
        for (int32_t i = 0; i < channels; i++) {
            const uint32_t sum = th_load32(biases + 4 * i) + (uint32_t)th_dots16_dot(input, d->end + i * depth, depth);
            const int32_t shift = twice ? multipliers[4 * channels + i] : 0;
            const int32_t scaled = th_requantize((int32_t)sum, (int32_t)th_load32(multipliers + 4 * i), shift);
            const int16_t value = (int16_t)th_clamp(scaled, d->min, d->max);
            memcpy(output + 2 * i, &value, sizeof value);
        }
    }
}

/*
 * Pixels of one row, d->in_step apart, to `channels` outputs each at d->output. Changes what of d moves on.
 * twice: sums are rounded twice.
 */
TH_INLINE void th_dots16_pixels_of(th_dots *d, int32_t pixels, int32_t channels, int twice)
{
    const int32_t fours = channels & ~3;
    if (channels > fours) {
        th_dots16_rest(d, pixels, channels - fours, d->output + 2 * fours, twice);
    }
    if (fours == 0) {
        return;
    }
    if (pixels > 1) {
        d->count = pixels >> 1;
        if (d->depth < 16) {
            twice ? th_dots16_short_twice(d) : th_dots16_short(d);
        } else {
            twice ? th_dots16_pairs_twice(d) : th_dots16_pairs(d);
        }
    }
    if (pixels & 1) {
        twice ? th_dots16_one_twice(d, NULL, 0) : th_dots16_one(d, NULL, 0);
    }
}

TH_KERNEL void th_dots16_pixels(th_dots *d, int32_t pixels, int32_t channels)
{
    th_dots16_pixels_of(d, pixels, channels, 0);
}

TH_KERNEL void th_dots16_pixels_twice(th_dots *d, int32_t pixels, int32_t channels)
{
    th_dots16_pixels_of(d, pixels, channels, 1);
}

#endif
