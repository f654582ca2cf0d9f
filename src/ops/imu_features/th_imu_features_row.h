/*
 * Features of a window of a time series; no guard: included once for every type, with TH_TYPE, TH_IMU_RESULT (the output's
 * type), and what brings a statistic and a level to it, TH_IMU_STATISTIC and TH_IMU_LEVEL. Bit-exact with
 * imuFeaturesReference.
 * Computes one output row: rows of the window, each [channels], output [channels][statistics, compared and bands], edges
 * [bands + 1], scratch int32 [channels] and, for bands, int32 [fft + 2] and int16 [window].
 */
#include "th_imu_features.h"
#include "th_name.h"

TH_KERNEL void TH_NAME(th_imu_features)(const th_imu_features_params *p, const void *const *rows, const int16_t *hann,
                                const int32_t *twiddles, const int16_t *logs, const int16_t *edges,
                                void *scratch, TH_IMU_RESULT *output)
{
    int32_t *lengths = (int32_t *)scratch, *z = lengths + p->channels;
    if (p->compared) {
        th_imu_lengths(p, rows, lengths);
    }
    for (int32_t c = 0; c < p->channels; c++) {
        int32_t values[th_imu_statistics];
        const int32_t sum = p->statistics || p->bands ? th_imu_column(rows, p->window, c, values) : 0;
        for (int32_t i = 0; p->statistics && i < th_imu_statistics; i++) {
            *output++ = TH_IMU_STATISTIC(p, values[i]);
        }
        for (int32_t k = 1; k <= p->compared; k++) {
            const int32_t other = c + k < p->channels ? c + k : c + k - p->channels;
            *output++ = TH_IMU_STATISTIC(p, th_imu_cosine(p, rows, lengths, c, other));
        }
        const int32_t add = p->bands ? th_imu_spectrum(p, rows, c, sum, hann, twiddles, z) : 0;
        for (int32_t b = 0; b < p->bands; b++) {
            const uint64_t power = th_imu_power(z, edges[b], edges[b + 1]);
            *output++ = TH_IMU_LEVEL(p, th_spectral_level(power, add, p->half, logs));
        }
    }
}

#undef TH_TYPE
#undef TH_IMU_RESULT
#undef TH_IMU_STATISTIC
#undef TH_IMU_LEVEL
