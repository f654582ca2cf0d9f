/*
 * Features of columns of a time series; bit-exact with reference.ts.
 */
#ifndef TH_IMU_FEATURES_H
#define TH_IMU_FEATURES_H

#include "th_spectral.h"

typedef struct {
    int32_t window, fft, channels, statistics, compared, bands;
    int32_t offset, half;
    int32_t multiplier, shift, level_multiplier, level_shift;
    int32_t zero, min, max;
    float factor, level_factor;
} th_imu_features_params;

enum { th_imu_statistics = 6 };

/* floor(sqrt(x)) for x < 2^62, bit by bit. */
TH_LOOP int32_t th_imu_square_root(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 60; bit; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (int32_t)root;
}

TH_INLINE int32_t th_imu_sample(const void *const *rows, int32_t i, int32_t channel)
{
    return ((const int16_t *)rows[i])[channel];
}

/* Mean, deviation, root mean square, least, most and crossings, 23 bits after the point; returns the sum. */
TH_LOOP int32_t th_imu_column(const void *const *rows, int32_t n, int32_t channel, int32_t *values)
{
    int32_t sum = 0, least = INT16_MAX, most = INT16_MIN, crossings = 0;
    int64_t squares = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t x = th_imu_sample(rows, i, channel);
        sum += x;
        squares += (int64_t)x * x;
        least = th_min(least, x);
        most = th_max(most, x);
    }
    int32_t below = th_imu_sample(rows, 0, channel) * n < sum;
    for (int32_t i = 1; i < n; i++) {
        const int32_t is_below = th_imu_sample(rows, i, channel) * n < sum;
        crossings += is_below != below;
        below = is_below;
    }
    values[0] = (int32_t)((int64_t)sum * 256 / n);
    values[1] = (int32_t)((int64_t)th_imu_square_root((uint64_t)(n * squares - (int64_t)sum * sum)) * 256 / n);
    values[2] = (int32_t)((int64_t)th_imu_square_root((uint64_t)(n * squares)) * 256 / n);
    values[3] = least * 256;
    values[4] = most * 256;
    values[5] = n > 1 ? (int32_t)(((int64_t)crossings << 23) / (n - 1)) : 0;
    return sum;
}

enum { th_imu_length_bits = 5 };

/* The product of two columns as vectors. */
TH_LOOP int64_t th_imu_dot(const void *const *rows, int32_t n, int32_t a, int32_t b)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += (int64_t)th_imu_sample(rows, i, a) * th_imu_sample(rows, i, b);
    }
    return sum;
}

/* Lengths of columns as vectors, 5 bits after the point. */
TH_INLINE void th_imu_lengths(const th_imu_features_params *p, const void *const *rows, int32_t *lengths)
{
    for (int32_t c = 0; c < p->channels; c++) {
        const uint64_t squares = (uint64_t)th_imu_dot(rows, p->window, c, c);
        lengths[c] = th_imu_square_root(squares << (2 * th_imu_length_bits));
    }
}

/* The cosine between two columns, 23 bits after the point; 0 where one is nothing but zeros. */
TH_INLINE int32_t th_imu_cosine(const th_imu_features_params *p, const void *const *rows, const int32_t *lengths,
                                int32_t a, int32_t b)
{
    if (lengths[a] == 0 || lengths[b] == 0) {
        return 0;
    }
    const int64_t scaled = th_imu_dot(rows, p->window, a, b) * (1 << (2 * th_imu_length_bits));
    return (int32_t)(scaled / lengths[a] * (1 << 23) / lengths[b]);
}

/* The transform of what differs from the mean, halved; returns what is added to logarithms of its powers. */
TH_INLINE int32_t th_imu_spectrum(const th_imu_features_params *p, const void *const *rows, int32_t channel,
                                  int32_t sum, const int16_t *hann, const int32_t *twiddles, int32_t *z)
{
    const int32_t mean = sum / p->window;
    int16_t *column = (int16_t *)(z + p->fft + 2);
    const void *row = column;
    const th_spectral_params s = {.window = p->window, .unit = p->window, .fft = p->fft};
    const th_spectral_tables t = {.hann = hann, .twiddles = twiddles};
    for (int32_t i = 0; i < p->window; i++) {
        column[i] = (int16_t)((th_imu_sample(rows, i, channel) - mean) >> 1);
    }
    return p->offset + (2 - 2 * th_spectrum(&s, &row, &t, z)) * 65536;
}

/* The power of a band's bins. */
TH_INLINE uint64_t th_imu_power(const int32_t *z, int32_t first, int32_t end)
{
    uint64_t power = 0;
    for (int32_t k = first; k < end; k++) {
        power += th_spectral_power(z + 2 * k);
    }
    return power << 15;
}

#endif
