/*
 * Where the taps of a depthwise convolution's windows are, for Helium.
 */
#ifndef TH_DEPTHWISE_TAPS_H
#define TH_DEPTHWISE_TAPS_H

#include "th_depthwise_helium_params.h"

/* Where the taps of the window that begins at x are; those outside the image at `zeros`. True if all are in it. */
TH_ROW int th_depthwise_taps(const th_depthwise_conv2d_helium_params *p, const void *const *rows, int32_t x,
                               const int8_t *zeros, const int8_t **taps)
{
    const int32_t k_h = p->k_h;
    const int32_t k_w = p->k_w;
    const int32_t step = p->dilation_w * p->in_step;
    const th_taps inside = th_taps_inside(x, p->dilation_w, k_w, p->in_w);
    const int32_t some = th_max(inside.end - inside.first, 0);
    const int32_t before = some > 0 ? inside.first : 0;
    const int32_t first = x * p->in_step + before * step;
    int all = some == k_w;
    for (int32_t ky = 0; ky < k_h; ky++) {
        const int8_t *row = (const int8_t *)rows[ky];
        const int32_t present = row ? some : 0;
        const int8_t **end = taps + k_w;
        if (present < k_w) {
            all = 0;
            for (int32_t kx = 0; kx < k_w; kx++) {
                taps[kx] = zeros;
            }
            taps += before;
        }
        int32_t at = first;
        for (int32_t kx = 0; kx < present; kx++, at += step) {
            *taps++ = row + at;
        }
        taps = end;
    }
    return all;
}

#endif
