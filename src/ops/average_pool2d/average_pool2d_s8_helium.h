/*
 * Average pooling, int8, four channels at a time, for Helium; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_S8_HELIUM_H
#define TH_AVERAGE_POOL2D_S8_HELIUM_H

#include "average_pool2d_s8.h"
#include "th_helium.h"

#if TH_HELIUM

/* Adds `width` elements, side by side in a row, of each of up to four channels. */
TH_INLINE int32x4_t th_average_pool2d_add4(int32x4_t sums, const int8_t *in, int32_t width, int32_t step,
                                           mve_pred16_t some)
{
    for (; width > 0; width--, in += step) {
        sums = vaddq_s32(sums, vldrbq_z_s32(in, some));
    }
    return sums;
}

/* The averages of up to four channels. */
TH_INLINE void th_average_pool2d_store4(const th_pool2d_params *p, int32x4_t sums, int32_t count, int32_t channels,
                                        int8_t *output)
{
    int32_t four[4];
    vstrwq_s32(four, sums);
    for (int32_t i = 0; i < th_min(channels, 4); i++) {
        output[i] = th_average_pool2d_s8_of(p, four[i], count);
    }
}

/* As th_average_pool2d_s8. */
TH_KERNEL void th_average_pool2d_s8_helium(const th_pool2d_params *p, const void *const *rows, int8_t *output)
{
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * p->in_step;
        const int32_t width = columns.end - columns.first;
        const int32_t count = (inside.end - inside.first) * width;
        for (int32_t c = 0; c < p->channels; c += 4) {
            const mve_pred16_t some = vctp32q((uint32_t)(p->channels - c));
            int32x4_t sums = vdupq_n_s32(0);
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                sums = th_average_pool2d_add4(sums, (const int8_t *)rows[ky] + first + c, width, p->in_step, some);
            }
            th_average_pool2d_store4(p, sums, count, p->channels - c, output + c);
        }
    }
}

/* As th_average_pool2d_s8_fold. */
TH_KERNEL void th_average_pool2d_s8_helium_fold(const th_pool2d_params *p, int32_t y, const int8_t *input,
                                                void *scratch,
                                                int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step, kept += p->channels) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int8_t *first = input + (x0 + columns.first) * p->in_step;
        const int32_t width = columns.end - columns.first;
        for (int32_t c = 0; c < p->channels; c += 4) {
            const mve_pred16_t some = vctp32q((uint32_t)(p->channels - c));
            int32x4_t sums = vdupq_n_s32(0);
            if (y > 0) {
                sums = vldrwq_z_s32(kept + c, some);
            }
            sums = th_average_pool2d_add4(sums, first + c, width, p->in_step, some);
            if (y + 1 < p->in_h) {
                vstrwq_p_s32(kept + c, sums, some);
            } else {
                th_average_pool2d_store4(p, sums, p->in_h * width, p->channels - c, output + c);
            }
        }
    }
}

#else

#define th_average_pool2d_s8_helium th_average_pool2d_s8
#define th_average_pool2d_s8_helium_fold th_average_pool2d_s8_fold

#endif

#endif
