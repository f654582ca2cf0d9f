/*
 * A frame of sound as levels or coefficients, 16-bit results; bit-exact with spectralReference.
 * Computes one output row: rows of the frame's units, each [unit], output [outputs], scratch as th_spectral_levels has.
 */
#ifndef TH_SPECTRAL_S16_H
#define TH_SPECTRAL_S16_H

#include "th_spectral.h"

TH_KERNEL void th_spectral_s16(const th_spectral_params *p, const void *const *rows, const int16_t *hann,
                            const int32_t *twiddles, const int16_t *logs, const int16_t *ends,
                            const int16_t *rising, const int16_t *dct, void *scratch, int16_t *output)
{
    const th_spectral_tables tables = {hann, twiddles, logs, ends, rising, dct};
    const int32_t *levels = th_spectral_levels(p, rows, &tables, (int32_t *)scratch);
    for (int32_t i = 0; i < p->outputs; i++) {
        const int32_t value = th_spectral_value(p, levels, dct, i);
        output[i] = (int16_t)th_spectral_quantized(p, value);
    }
}

#endif
