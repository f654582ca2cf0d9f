/*
 * Depthwise convolution with one output per channel, int8 activations and weights, for Helium, without scratch;
 * bit-exact with depthwiseConv2dReference. Reads the stream of th_depthwise_helium.h and th_depthwise_helium_8.h.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_HELIUM_LEAN_H
#define TH_DEPTHWISE_CONV2D_S8_HELIUM_LEAN_H

#include "th_depthwise_helium_params.h"

/* A window: the first of its columns that lie inside the image and the one behind them, and where column 0 is. */
typedef struct {
    const th_depthwise_conv2d_helium_params *p;
    const void *const *rows;
    th_taps columns;
    int32_t at;
} th_dw_window;

/* Where the n channels of a tap are, or NULL for padding. */
TH_INLINE const int8_t *th_dw_tap(const th_dw_window *v, int32_t ky, int32_t kx, int32_t first)
{
    const int8_t *row = (const int8_t *)v->rows[ky];
    if (!row || kx < v->columns.first || kx >= v->columns.end) {
        return NULL;
    }
    return row + v->at + kx * v->p->dilation_w * v->p->in_step + first;
}

#if TH_HELIUM

/* Four sums as outputs but for zero point and limits. */
TH_INLINE int32x4_t th_dw_lean_scale(int32x4_t sum, const int8_t *scales)
{
    sum = vaddq_s32(sum, vldrwq_s32((const int32_t *)(const void *)scales));
    const int32x4_t sign = vshrq_n_s32(sum, 31);
    sum = vqrdmulhq_s32(sum, vldrwq_s32((const int32_t *)(const void *)(scales + 16)));
    return vrshlq_s32(vaddq_s32(sum, sign), vldrbq_s32(scales + 32));
}

/* Eight outputs: their sums are of even and of odd index, whose scales those are. */
TH_INLINE void th_dw_lean_store(const th_depthwise_conv2d_helium_params *p, int32x4_t even, const int8_t *even_scales,
                                int32x4_t odd, const int8_t *odd_scales, int8_t *output, mve_pred16_t some)
{
    int16x8_t y = vqmovnbq_s32(vdupq_n_s16(0), th_dw_lean_scale(even, even_scales));
    y = vqmovntq_s32(y, th_dw_lean_scale(odd, odd_scales));
    y = vqaddq_n_s16(y, (int16_t)p->out_zero);
    y = vminq_s16(vmaxq_s16(y, vdupq_n_s16((int16_t)p->min)), vdupq_n_s16((int16_t)p->max));
    vstrbq_p_s16(output, y, some);
}

/* n channels from `first` on, eight at most; scales of even ones follow the weights, then those of odd ones. */
TH_INLINE void th_dw_lean_eight(const th_dw_window *v, const int8_t *weights, int32_t first, int32_t n,
                                int8_t *output)
{
    const th_depthwise_conv2d_helium_params *p = v->p;
    const mve_pred16_t some = vctp16q((uint32_t)n);
    const int8_t *scales = weights + ((p->k_h * p->k_w * n + 3) & ~3);
    int32x4_t even = vdupq_n_s32(0);
    int32x4_t odd = vdupq_n_s32(0);
    for (int32_t ky = 0; ky < p->k_h; ky++) {
        for (int32_t kx = 0; kx < p->k_w; kx++, weights += n) {
            const int8_t *tap = th_dw_tap(v, ky, kx, first);
            const int16x8_t x = tap ? vldrbq_z_s16(tap, some) : vdupq_n_s16((int16_t)p->in_zero);
            const int16x8_t product = vmulq_s16(x, vldrbq_s16(weights));
            even = vaddq_s32(even, vmovlbq_s16(product));
            odd = vaddq_s32(odd, vmovltq_s16(product));
        }
    }
    th_dw_lean_store(p, even, scales, odd, scales + 36, output + first, some);
}

/* Sixteen channels, whose scales are of channels 0, 4, 8, 12; of 2, 6 and so on; of 1, 5; of 3, 7. */
TH_INLINE void th_dw_lean_sixteen(const th_dw_window *v, const int8_t *weights, int32_t first, int8_t *output)
{
    const th_depthwise_conv2d_helium_params *p = v->p;
    const int8_t *scales = weights + 16 * p->k_h * p->k_w;
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    for (int32_t ky = 0; ky < p->k_h; ky++) {
        for (int32_t kx = 0; kx < p->k_w; kx++, weights += 16) {
            const int8_t *tap = th_dw_tap(v, ky, kx, first);
            const int8x16_t x = tap ? vldrbq_s8(tap) : vdupq_n_s8((int8_t)p->in_zero);
            const int8x16_t w = vldrbq_s8(weights);
            const int16x8_t even = vmullbq_int_s8(x, w);
            const int16x8_t odd = vmulltq_int_s8(x, w);
            a = vaddq_s32(a, vmovlbq_s16(even));
            b = vaddq_s32(b, vmovltq_s16(even));
            c = vaddq_s32(c, vmovlbq_s16(odd));
            d = vaddq_s32(d, vmovltq_s16(odd));
        }
    }
    int16x8_t low = vqmovnbq_s32(vdupq_n_s16(0), th_dw_lean_scale(a, scales));
    low = vqmovntq_s32(low, th_dw_lean_scale(b, scales + 36));
    int16x8_t high = vqmovnbq_s32(vdupq_n_s16(0), th_dw_lean_scale(c, scales + 72));
    high = vqmovntq_s32(high, th_dw_lean_scale(d, scales + 108));
    low = vqaddq_n_s16(low, (int16_t)p->out_zero);
    high = vqaddq_n_s16(high, (int16_t)p->out_zero);
    int8x16_t y = vqmovntq_s16(vqmovnbq_s16(vdupq_n_s8(0), low), high);
    y = vminq_s8(vmaxq_s8(y, vdupq_n_s8((int8_t)p->min)), vdupq_n_s8((int8_t)p->max));
    vstrbq_s8(output + first, y);
}

#else

/* n channels from `first` on, `parts` of whose scales follow the weights. */
TH_INLINE void th_dw_lean_some(const th_dw_window *v, const int8_t *weights, int32_t first, int32_t n, int32_t parts,
                               int8_t *output)
{
    const th_depthwise_conv2d_helium_params *p = v->p;
    const int8_t *scales = weights + ((p->k_h * p->k_w * n + 3) & ~3);
    for (int32_t c = 0; c < n; c++) {
        const int32_t part = c % parts;
        const int8_t *s = scales + 36 * (parts == 4 && (part == 1 || part == 2) ? 3 - part : part);
        const int32_t i = c / parts;
        int32_t sum = (int32_t)th_load32(s + 4 * i);
        for (int32_t t = 0; t < p->k_h * p->k_w; t++) {
            const int8_t *tap = th_dw_tap(v, t / p->k_w, t % p->k_w, first + c);
            sum += (tap ? *tap : p->in_zero) * weights[t * n + c];
        }
        output[first + c] = th_helium_finish(sum, (int32_t)th_load32(s + 16 + 4 * i), -s[32 + i], p->out_zero, p->min,
                                             p->max);
    }
}

TH_INLINE void th_dw_lean_eight(const th_dw_window *v, const int8_t *weights, int32_t first, int32_t n,
                                int8_t *output)
{
    th_dw_lean_some(v, weights, first, n, 2, output);
}

TH_INLINE void th_dw_lean_sixteen(const th_dw_window *v, const int8_t *weights, int32_t first, int8_t *output)
{
    th_dw_lean_some(v, weights, first, 16, 4, output);
}

#endif

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input; output
 * [out_w][in_c].
 */
TH_KERNEL void th_depthwise_conv2d_s8_helium_lean(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                                  const int32_t *stream, int8_t *output)
{
    const int32_t taps = p->k_h * p->k_w;
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step) {
        const int32_t x = ox * p->stride_w - p->pad_left;
        const th_dw_window v = {p, rows, th_taps_inside(x, p->dilation_w, p->k_w, p->in_w), x * p->in_step};
        const int8_t *weights = (const int8_t *)stream;
        int32_t c = 0;
        for (; c + 16 <= p->in_c; c += 16, weights += 16 * taps + 144) {
            th_dw_lean_sixteen(&v, weights, c, output);
        }
        for (; c < p->in_c; c += 8) {
            const int32_t n = th_min(p->in_c - c, 8);
            th_dw_lean_eight(&v, weights, c, n, output);
            weights += ((taps * n + 3) & ~3) + 72;
        }
    }
}

#endif
