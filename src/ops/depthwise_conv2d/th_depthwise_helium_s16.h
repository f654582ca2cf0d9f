/*
 * Eight channels of a depthwise convolution at a time, int16 activations, int8 weights, for Helium: VMULLB and
 * VMULLT.S16 multiply those of even and of odd index to 32 bits, which no sum leaves, or which sums are modulo of.
 * The stream of eight channels: weights [taps][8]; biases, multipliers, and, where sums are rounded twice, right
 * shifts negated, a byte each, of channels 0, 2, 4, 6; the same of 1, 3, 5, 7. Of the last channels, if they are
 * fewer, as many weights, zeros up to a multiple of four bytes, and scales of eight. See th_helium_dots_s16.h about
 * the rounding.
 */
#ifndef TH_DEPTHWISE_HELIUM_S16_H
#define TH_DEPTHWISE_HELIUM_S16_H

#include "th_helium.h"

/* Everything in words, as the assembly reads it; moves in bytes. */
typedef struct {
    const int8_t *stream;
    int32_t groups;      /* of eight channels */
    int32_t pixels;      /* to compute, at least one */
    int32_t in_move;     /* from behind the last group of a tap to the first of its next */
    int8_t *output;
    int32_t out_move;    /* the same of outputs */
    int32_t min, max;
    const int8_t **taps; /* where each tap of the first pixel is */
    int32_t count;       /* of taps */
} th_dws16;

#if TH_HELIUM

#define TH_DWS16_FIRST(tap)                                                                                            \
    "vldrh.u16 q0, [" tap "], #16\n"                                                                                   \
    "vldrb.s16 q1, [r0], #8\n"                                                                                         \
    "vmullb.s16 q4, q0, q1\n"                                                                                          \
    "vmullt.s16 q5, q0, q1\n"

#define TH_DWS16_TAP(tap)                                                                                              \
    "vldrh.u16 q0, [" tap "], #16\n"                                                                                   \
    "vldrb.s16 q1, [r0], #8\n"                                                                                         \
    "vmullb.s16 q2, q0, q1\n"                                                                                          \
    "vmullt.s16 q3, q0, q1\n"                                                                                          \
    "vadd.i32 q4, q4, q2\n"                                                                                            \
    "vadd.i32 q5, q5, q3\n"

#define TH_DWS16_ONCE(sum)                                                                                             \
    "vldrw.u32 q0, [r0], #16\n"                                                                                        \
    "vldrw.u32 q1, [r0], #16\n"                                                                                        \
    "vadd.i32 " sum ", " sum ", q0\n"                                                                                  \
    "vqrdmulh.s32 " sum ", " sum ", q1\n"
#define TH_DWS16_TWICE(sum)                                                                                            \
    "vldrw.u32 q0, [r0], #16\n"                                                                                        \
    "vldrw.u32 q1, [r0], #16\n"                                                                                        \
    "vadd.i32 " sum ", " sum ", q0\n" TH_HELIUM_SIGN("q0", sum)                                                        \
    "vqrdmulh.s32 " sum ", " sum ", q1\n" TH_HELIUM_AWAY("q0", sum)                                                    \
    "vldrb.s32 q1, [r0], #4\n"                                                                                         \
    "vrshl.s32 " sum ", " sum ", q1\n"

/*
 * 3x3: r0 stream, r1 to r9 taps, r10 output, r12 pixels; q4 and q5 sums, q6 and q7 limits; on the stack stream, groups,
 * in_move, out_move.
 */
#define TH_DWS16_3X3(name, scale)                                                                                      \
    TH_NAKED void name(const th_dws16 *run TH_ASM_ARG)                                                                 \
    {                                                                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                                                  \
                "vpush {d8-d15}\n"                                                                                     \
                "sub sp, sp, #16\n"                                                                                    \
                "ldrd r1, r2, [r0, #24]\n"                                                                             \
                "vdup.16 q6, r1\n"                                                                                     \
                "vdup.16 q7, r2\n"                                                                                     \
                "ldrd r1, r2, [r0]\n"                                                                                  \
                "strd r1, r2, [sp]\n"                                                                                  \
                "ldr r1, [r0, #12]\n"                                                                                  \
                "ldr r2, [r0, #20]\n"                                                                                  \
                "strd r1, r2, [sp, #8]\n"                                                                              \
                "ldr r12, [r0, #8]\n"                                                                                  \
                "ldr r10, [r0, #16]\n"                                                                                 \
                "ldr r11, [r0, #32]\n"                                                                                 \
                "ldm r11, {r1-r9}\n"                                                                                   \
                "0:\n"                                                                                                 \
                "ldrd r0, lr, [sp]\n"                                                                                  \
                "dls lr, lr\n"                                                                                         \
                "1:\n" TH_DWS16_FIRST("r1") TH_DWS16_TAP("r2") TH_DWS16_TAP("r3") TH_DWS16_TAP("r4")                   \
                TH_DWS16_TAP("r5") TH_DWS16_TAP("r6") TH_DWS16_TAP("r7") TH_DWS16_TAP("r8") TH_DWS16_TAP("r9")         \
                scale("q4") scale("q5")                                                                                \
                "vqmovnb.s32 q4, q4\n"                                                                                 \
                "vqmovnt.s32 q4, q5\n"                                                                                 \
                "vmax.s16 q4, q4, q6\n"                                                                                \
                "vmin.s16 q4, q4, q7\n"                                                                                \
                "vstrh.16 q4, [r10], #16\n"                                                                            \
                "le lr, 1b\n"                                                                                          \
                "subs r12, r12, #1\n"                                                                                  \
                "beq 2f\n"                                                                                             \
                "ldrd r0, r11, [sp, #8]\n"                                                                             \
                "add r10, r10, r11\n"                                                                                  \
                "add r1, r1, r0\n"                                                                                     \
                "add r2, r2, r0\n"                                                                                     \
                "add r3, r3, r0\n"                                                                                     \
                "add r4, r4, r0\n"                                                                                     \
                "add r5, r5, r0\n"                                                                                     \
                "add r6, r6, r0\n"                                                                                     \
                "add r7, r7, r0\n"                                                                                     \
                "add r8, r8, r0\n"                                                                                     \
                "add r9, r9, r0\n"                                                                                     \
                "b 0b\n"                                                                                               \
                "2:\n"                                                                                                 \
                "add sp, sp, #16\n"                                                                                    \
                "vpop {d8-d15}\n"                                                                                      \
                "pop {r4-r11, pc}\n");                                                                                 \
    }

TH_DWS16_3X3(th_dws16_3x3, TH_DWS16_ONCE)
TH_DWS16_3X3(th_dws16_3x3_twice, TH_DWS16_TWICE)

/* Four sums as outputs; moves the stream on. */
TH_INLINE int32x4_t th_dws16_scale(int32x4_t sum, const int8_t **stream, int twice)
{
    const int8_t *s = *stream;
    sum = vaddq_s32(sum, vldrwq_s32((const int32_t *)(const void *)s));
    const int32x4_t sign = vshrq_n_s32(sum, 31);
    sum = vqrdmulhq_s32(sum, vldrwq_s32((const int32_t *)(const void *)(s + 16)));
    *stream = s + 32;
    if (twice) {
        sum = vrshlq_s32(vaddq_s32(sum, sign), vldrbq_s32(s + 32));
        *stream = s + 36;
    }
    return sum;
}

/* Up to eight channels of the pixel whose taps are `at` bytes behind those of the argument. */
TH_INLINE const int8_t *th_dws16_eight(const th_dws16 *run, const int8_t *stream, int32_t channels, int32_t at,
                                       int8_t *output, int twice)
{
    const mve_pred16_t some = vctp16q((uint32_t)channels);
    const int8_t *const *taps = run->taps;
    const int32_t step = th_min(channels, 8);
    const int8_t *scales = stream + ((run->count * step + 3) & ~3);
    int32x4_t even = vdupq_n_s32(0);
    int32x4_t odd = vdupq_n_s32(0);
    for (int32_t t = run->count; t > 0; t--, stream += step) {
        const int16x8_t x = vldrhq_z_s16((const int16_t *)(const void *)(*taps++ + at), some);
        const int16x8_t w = vldrbq_s16(stream);
        even = vaddq_s32(even, vmullbq_int_s16(x, w));
        odd = vaddq_s32(odd, vmulltq_int_s16(x, w));
    }
    even = th_dws16_scale(even, &scales, twice);
    odd = th_dws16_scale(odd, &scales, twice);
    int16x8_t y = vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), even), odd);
    y = vminq_s16(vmaxq_s16(y, vdupq_n_s16((int16_t)run->min)), vdupq_n_s16((int16_t)run->max));
    vstrhq_p_s16((int16_t *)(void *)output, y, some);
    return scales;
}

#else

/* The sum of the products of channel c of the taps, modulo 2^32. */
TH_INLINE uint32_t th_dws16_sum(const th_dws16 *run, const int8_t *stream, int32_t step, int32_t at, int32_t c)
{
    uint32_t sum = 0;
    for (int32_t t = 0; t < run->count; t++) {
        int16_t x;
        memcpy(&x, run->taps[t] + at + 2 * c, sizeof x);
        sum += (uint32_t)(x * stream[t * step + c]);
    }
    return sum;
}

TH_INLINE const int8_t *th_dws16_eight(const th_dws16 *run, const int8_t *stream, int32_t channels, int32_t at,
                                       int8_t *output, int twice)
{
    const int32_t step = th_min(channels, 8);
    const int32_t half = twice ? 36 : 32;
    const int8_t *scales = stream + ((run->count * step + 3) & ~3);
    for (int32_t c = 0; c < step; c++) {
        const int8_t *s = scales + half * (c & 1);
        const int32_t i = c >> 1;
        const uint32_t sum = th_load32(s + 4 * i) + th_dws16_sum(run, stream, step, at, c);
        const int32_t scaled =
            th_requantize((int32_t)sum, (int32_t)th_load32(s + 16 + 4 * i), twice ? s[32 + i] : 0);
        const int16_t value = (int16_t)th_clamp(scaled, run->min, run->max);
        memcpy(output + 2 * c, &value, sizeof value);
    }
    return scales + 2 * half;
}

#endif

/* All channels from groups of eight on, or all, of the pixels. */
TH_INLINE void th_dws16_any(const th_dws16 *run, const int8_t *stream, int32_t first, int32_t channels, int twice)
{
    int32_t at = 2 * first;
    int8_t *output = run->output + 2 * first;
    for (int32_t i = run->pixels; i > 0; i--) {
        const int8_t *s = stream;
        for (int32_t c = 0; c < channels; c += 8) {
            s = th_dws16_eight(run, s, channels - c, at + 2 * c, output + 2 * c, twice);
        }
        at += run->in_move + 16 * run->groups;
        output += run->out_move + 16 * run->groups;
    }
}

#endif
