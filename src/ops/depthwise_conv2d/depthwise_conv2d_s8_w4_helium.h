/*
 * Depthwise convolution with one output per channel and at most 31 taps, int8 activations, int4 weights, for Helium;
 * bit-exact with depthwiseConv2dReference. Sixteen channels of a pixel at a time: VMULLB and VMULLT.S8 multiply those
 * of even and of odd index to 16 bits, where so many products of 2^10 fit. Padding reads as the zero point, which the
 * biases account for.
 *
 * The stream of n channels, sixteen or what is left of them: of two taps n bytes, weights of the first in the low
 * halves; of a single tap behind them (n + 1) / 2 bytes, even channels in the low halves; zeros up to a multiple of
 * four bytes. Then, of every fourth channel from channels 0, 2, 1 and 3 on, as many as there are: biases,
 * multipliers, and right shifts negated, a byte each, and zeros as before.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_W4_HELIUM_H
#define TH_DEPTHWISE_CONV2D_S8_W4_HELIUM_H

#include "th_depthwise_taps.h"

/* The pixel whose taps are `at` elements behind those of the argument. */
typedef struct {
    const int8_t *const *taps;
    int32_t count, at;
    int32_t out_zero, min, max;
} th_dww4;

/* Bytes of the weights of n channels. */
TH_INLINE int32_t th_dww4_weights(int32_t taps, int32_t n)
{
    return ((taps >> 1) * n + (taps & 1) * ((n + 1) >> 1) + 3) & ~3;
}

#if TH_HELIUM

/* Four sums, or n if that is less, as outputs but for zero point and limits; moves the stream on. */
TH_INLINE int32x4_t th_dww4_scale(int32x4_t sum, const int8_t **stream, int32_t n)
{
    const int8_t *s = *stream;
    const int32_t some = th_min(n, 4);
    const mve_pred16_t lanes = vctp32q((uint32_t)some);
    sum = vaddq_s32(sum, vldrwq_z_s32((const int32_t *)(const void *)s, lanes));
    s += 4 * some;
    const int32x4_t sign = vshrq_n_s32(sum, 31);
    sum = vaddq_s32(vqrdmulhq_s32(sum, vldrwq_z_s32((const int32_t *)(const void *)s, lanes)), sign);
    s += 4 * some;
    *stream = s + ((some + 3) & ~3);
    return vrshlq_s32(sum, vldrbq_z_s32(s, lanes));
}

/* Sums of even and of odd channels. */
typedef struct {
    int16x8_t even, odd;
} th_dww4_sums;

TH_INLINE th_dww4_sums th_dww4_add(th_dww4_sums sums, int8x16_t x, int8x16_t w)
{
    sums.even = vaddq_s16(sums.even, vmullbq_int_s8(x, w));
    sums.odd = vaddq_s16(sums.odd, vmulltq_int_s8(x, w));
    return sums;
}

TH_INLINE th_dww4_sums th_dww4_products(const th_dww4 *run, const int8_t *stream, int32_t first, int32_t n)
{
    const mve_pred16_t some = vctp8q((uint32_t)n);
    const int8_t *const *taps = run->taps;
    const int32_t at = run->at + first;
    th_dww4_sums sums = {vdupq_n_s16(0), vdupq_n_s16(0)};
    for (int32_t t = run->count >> 1; t > 0; t--, taps += 2, stream += n) {
        const int8x16_t both = vldrbq_s8(stream);
        sums = th_dww4_add(sums, vldrbq_z_s8(taps[0] + at, some), vshrq_n_s8(vshlq_n_s8(both, 4), 4));
        sums = th_dww4_add(sums, vldrbq_z_s8(taps[1] + at, some), vshrq_n_s8(both, 4));
    }
    if (run->count & 1) {
        /*
         * Bytes in halves of 16 bits: the low half of a byte is the even channel's weight, the high one the odd one's.
         */
        const uint16x8_t pairs = vldrbq_u16((const uint8_t *)stream);
        const uint16x8_t low = vandq_u16(vshlq_n_u16(pairs, 4), vdupq_n_u16(0x00f0));
        const uint16x8_t high = vandq_u16(vshlq_n_u16(pairs, 8), vdupq_n_u16(0xf000));
        const int8x16_t w = vreinterpretq_s8_u16(vorrq_u16(low, high));
        sums = th_dww4_add(sums, vldrbq_z_s8(taps[0] + at, some), vshrq_n_s8(w, 4));
    }
    return sums;
}

/* n channels from `first` on; returns the stream behind them. */
TH_INLINE const int8_t *th_dww4_some(const th_dww4 *run, const int8_t *stream, int32_t first, int32_t n,
                                     int8_t *output)
{
    const th_dww4_sums sums = th_dww4_products(run, stream, first, n);
    const int8_t *s = stream + th_dww4_weights(run->count, n);
    int16x8_t even = vqmovnbq_s32(vdupq_n_s16(0), th_dww4_scale(vmovlbq_s16(sums.even), &s, (n + 3) >> 2));
    even = vqmovntq_s32(even, th_dww4_scale(vmovltq_s16(sums.even), &s, (n + 1) >> 2));
    int16x8_t odd = vqmovnbq_s32(vdupq_n_s16(0), th_dww4_scale(vmovlbq_s16(sums.odd), &s, (n + 2) >> 2));
    odd = vqmovntq_s32(odd, th_dww4_scale(vmovltq_s16(sums.odd), &s, n >> 2));
    even = vqaddq_n_s16(even, (int16_t)run->out_zero);
    odd = vqaddq_n_s16(odd, (int16_t)run->out_zero);
    int8x16_t y = vqmovntq_s16(vqmovnbq_s16(vdupq_n_s8(0), even), odd);
    y = vminq_s8(vmaxq_s8(y, vdupq_n_s8((int8_t)run->min)), vdupq_n_s8((int8_t)run->max));
    vstrbq_p_s8(output + first, y, vctp8q((uint32_t)n));
    return s;
}

#else

/* The weight of channel c and tap t of n channels. */
TH_INLINE int32_t th_dww4_weight(const int8_t *stream, int32_t taps, int32_t n, int32_t t, int32_t c)
{
    const uint8_t *pairs = (const uint8_t *)stream + (t >> 1) * n;
    return t == taps - 1 && !(t & 1) ? th_int4(pairs, c) : th_int4(pairs, 2 * c + (t & 1));
}

TH_INLINE const int8_t *th_dww4_some(const th_dww4 *run, const int8_t *stream, int32_t first, int32_t n,
                                     int8_t *output)
{
    const int8_t *s = stream + th_dww4_weights(run->count, n);
    for (int32_t part = 0; part < 4; part++) {
        const int32_t start = part == 0 || part == 3 ? part : 3 - part;
        const int32_t count = (n - start + 3) >> 2;
        for (int32_t i = 0; i < count; i++) {
            const int32_t c = start + 4 * i;
            int32_t sum = (int32_t)th_load32(s + 4 * i);
            for (int32_t t = 0; t < run->count; t++) {
                sum += run->taps[t][run->at + first + c] * th_dww4_weight(stream, run->count, n, t, c);
            }
            output[first + c] = th_helium_finish(sum, (int32_t)th_load32(s + 4 * (count + i)), -s[8 * count + i],
                                                 run->out_zero, run->min, run->max);
        }
        s += 8 * count + ((count + 3) & ~3);
    }
    return s;
}

#endif

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: pointers [k_h][k_w], then [in_c] zero points; output [out_w][in_c].
 */
TH_KERNEL void th_depthwise_conv2d_s8_w4_helium(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                                const int32_t *stream, void *scratch, int8_t *output)
{
    const int32_t count = p->k_h * p->k_w;
    const int32_t last = p->in_w - 1 - (p->k_w - 1) * p->dilation_w;
    const int8_t **taps = (const int8_t **)scratch;
    int8_t *zeros = (int8_t *)(taps + count);
    th_dww4 run = {taps, count, 0, p->out_zero, p->min, p->max};
    int32_t pixels = 0;
    int32_t x = -p->pad_left;
    th_helium_fill(zeros, p->in_zero, p->in_c);
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step, x += p->stride_w, pixels--) {
        const int8_t *s = (const int8_t *)stream;
        run.at += p->stride_w * p->in_step;
        if (pixels == 0) {
            const int inside = th_depthwise_taps(p, rows, x, zeros, taps);
            pixels = inside ? (last - x) / p->stride_w + 1 : 1;
            run.at = 0;
        }
        for (int32_t c = 0; c < p->in_c; c += 16) {
            s = th_dww4_some(&run, s, c, th_min(p->in_c - c, 16), output);
        }
    }
}

#endif
