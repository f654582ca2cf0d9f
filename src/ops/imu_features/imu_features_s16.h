/*
 * Features of a window of a time series, 16-bit results; bit-exact with imuFeaturesReference.
 * Computes one output row: rows of the window, each [channels], output [channels][6 + bands], edges [bands + 1],
 * scratch int32 [fft + 2] and int16 [window].
 */
#ifndef TH_IMU_FEATURES_S16_H
#define TH_IMU_FEATURES_S16_H

#include "th_imu_features.h"

TH_INLINE int16_t th_imu_features_s16_statistic(const th_imu_features_params *p, int32_t value)
{
    return (int16_t)th_clamp(th_requantize(value, p->multiplier, p->shift) + p->zero, p->min, p->max);
}

TH_INLINE int16_t th_imu_features_s16_level(const th_imu_features_params *p, int32_t value)
{
    return (int16_t)th_clamp(th_requantize(value, p->level_multiplier, p->level_shift) + p->zero, p->min, p->max);
}

TH_KERNEL void th_imu_features_s16(const th_imu_features_params *p, const void *const *rows, const int16_t *hann,
                                const int32_t *twiddles, const int16_t *logs, const int16_t *edges,
                                void *scratch, int16_t *output)
{
    int32_t *z = (int32_t *)scratch;
    for (int32_t c = 0; c < p->channels; c++) {
        int32_t values[th_imu_statistics];
        const int32_t sum = th_imu_column(rows, p->window, c, values);
        for (int32_t i = 0; i < th_imu_statistics; i++) {
            *output++ = th_imu_features_s16_statistic(p, values[i]);
        }
        const int32_t add = p->bands ? th_imu_spectrum(p, rows, c, sum, hann, twiddles, z) : 0;
        for (int32_t b = 0; b < p->bands; b++) {
            const uint64_t power = th_imu_power(z, edges[b], edges[b + 1]);
            *output++ = th_imu_features_s16_level(p, th_spectral_level(power, add, p->half, logs));
        }
    }
}

#endif
