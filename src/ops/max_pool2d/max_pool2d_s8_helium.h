/*
 * Maximum pooling, int8, sixteen channels at a time, for Helium; bit-exact with the family's reference in pool2d.ts.
 * Padding takes no part.
 */
#ifndef TH_MAX_POOL2D_S8_HELIUM_H
#define TH_MAX_POOL2D_S8_HELIUM_H

#include "max_pool2d_s8.h"
#include "th_helium.h"

#if TH_HELIUM

/* The maxima with `width` elements, side by side in a row, of each of up to sixteen channels. */
TH_INLINE int8x16_t th_max_pool2d_add16(int8x16_t values, const int8_t *in, int32_t width, int32_t step,
                                        mve_pred16_t some)
{
    for (; width > 0; width--, in += step) {
        values = vmaxq_s8(values, vldrbq_z_s8(in, some));
    }
    return values;
}

/* Stores up to sixteen outputs. */
TH_INLINE void th_max_pool2d_store16(const th_pool2d_params *p, int8x16_t values, int8_t *output, mve_pred16_t some)
{
    values = vmaxq_s8(values, vdupq_n_s8((int8_t)p->min));
    vstrbq_p_s8(output, vminq_s8(values, vdupq_n_s8((int8_t)p->max)), some);
}

/* As th_max_pool2d_s8. */
TH_KERNEL void th_max_pool2d_s8_helium(const th_pool2d_params *p, const void *const *rows, int8_t *output)
{
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * p->in_step;
        const int32_t width = columns.end - columns.first;
        for (int32_t c = 0; c < p->channels; c += 16) {
            const mve_pred16_t some = vctp8q((uint32_t)(p->channels - c));
            int8x16_t values = vdupq_n_s8(INT8_MIN);
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                values = th_max_pool2d_add16(values, (const int8_t *)rows[ky] + first + c, width, p->in_step, some);
            }
            th_max_pool2d_store16(p, values, output + c, some);
        }
    }
}

/* As th_max_pool2d_s8_fold. */
TH_KERNEL void th_max_pool2d_s8_helium_fold(const th_pool2d_params *p, int32_t y, const int8_t *input, void *scratch,
                                            int8_t *output)
{
    int8_t *kept = (int8_t *)scratch;
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step, kept += p->channels) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int8_t *first = input + (x0 + columns.first) * p->in_step;
        for (int32_t c = 0; c < p->channels; c += 16) {
            const mve_pred16_t some = vctp8q((uint32_t)(p->channels - c));
            int8x16_t values = vdupq_n_s8(INT8_MIN);
            if (y > 0) {
                values = vldrbq_z_s8(kept + c, some);
            }
            values = th_max_pool2d_add16(values, first + c, columns.end - columns.first, p->in_step, some);
            if (y + 1 < p->in_h) {
                vstrbq_p_s8(kept + c, values, some);
            } else {
                th_max_pool2d_store16(p, values, output + c, some);
            }
        }
    }
}

#else

#define th_max_pool2d_s8_helium th_max_pool2d_s8
#define th_max_pool2d_s8_helium_fold th_max_pool2d_s8_fold

#endif

#endif
