/*
 * Spectra of int16 sound; bit-exact with spectral-reference.ts, which says what is computed and why nothing overflows.
 * Bins are pairs of int32, real and imaginary, of which a transform of `fft` points has fft / 2 + 1.
 */
#ifndef TH_SPECTRAL_H
#define TH_SPECTRAL_H

#include "th_fixedpoint.h"

typedef struct {
    int32_t window, unit, fft;
    int32_t first, filters; /* the first bin of the first filter; 0 for bins as they are */
    int32_t outputs;
    int32_t offset, half;
    int32_t multiplier, shift, zero, min, max;
    float factor;
} th_spectral_params;

/* Tables that do not change from frame to frame. */
typedef struct {
    const int16_t *hann;
    const int32_t *twiddles;
    const int16_t *logs;
    const int16_t *ends;
    const int16_t *rising;
    const int16_t *dct;
} th_spectral_tables;

/* High half of a * b + c * d. */
TH_INLINE int32_t th_high_sum(int32_t a, int32_t b, int32_t c, int32_t d)
{
    return (int32_t)(((int64_t)a * b + (int64_t)c * d) >> 32);
}

/* High half of a * b - c * d. */
TH_INLINE int32_t th_high_difference(int32_t a, int32_t b, int32_t c, int32_t d)
{
    return (int32_t)(((int64_t)a * b - (int64_t)c * d) >> 32);
}

/* The number after `reversed` in the order of reversed bits, `top` being the first bit. */
TH_INLINE uint32_t th_next_reversed(uint32_t reversed, uint32_t top)
{
    while (reversed & top) {
        reversed ^= top;
        top >>= 1;
    }
    return reversed | top;
}

/* How far samples have been written. */
typedef struct {
    int32_t *z;
    uint32_t top, reversed;
    uint32_t bits; /* all that are set in any magnitude */
    int32_t n;
} th_spectral_place;

TH_INLINE void th_spectral_put(th_spectral_place *at, int32_t product)
{
    at->z[2 * at->reversed + (uint32_t)(at->n & 1)] = product;
    at->bits |= (uint32_t)(product ^ (product >> 31));
    at->reversed = at->n & 1 ? th_next_reversed(at->reversed, at->top) : at->reversed;
    at->n++;
}

/* Samples times a piece of the window, which goes up or down (step is 1 or -1). */
TH_LOOP void th_spectral_piece(th_spectral_place *place, const int16_t *samples, const int16_t *hann, int32_t step,
                               int32_t count)
{
    th_spectral_place at = *place;
    if ((at.n & 1) && count > 0) {
        th_spectral_put(&at, *samples++ * *hann);
        hann += step;
        count--;
    }
    for (; count > 1; count -= 2, samples += 2, hann += 2 * step) {
        const int32_t re = samples[0] * hann[0];
        const int32_t im = samples[1] * hann[step];
        int32_t *z = at.z + 2 * at.reversed;
        z[0] = re;
        z[1] = im;
        at.bits |= (uint32_t)((re ^ (re >> 31)) | (im ^ (im >> 31)));
        at.reversed = th_next_reversed(at.reversed, at.top);
        at.n += 2;
    }
    if (count > 0) {
        th_spectral_put(&at, *samples * *hann);
    }
    *place = at;
}

/* Window times samples, in the order of reversed bits; returns how far they can be doubled. */
TH_INLINE int32_t th_spectral_load(const th_spectral_params *p, const void *const *rows, const int16_t *hann,
                                   int32_t *z)
{
    const int32_t rising = p->window / 2 + 1;
    th_spectral_place at = {z, (uint32_t)p->fft >> 2, 0, 0, 0};
    if (p->window < p->fft) {
        memset(z, 0, (size_t)p->fft * sizeof(int32_t));
    }
    for (int32_t row = 0; at.n < p->window; row++) {
        const int16_t *samples = (const int16_t *)rows[row];
        const int32_t up = th_clamp(rising - at.n, 0, p->unit);
        if (up > 0) {
            th_spectral_piece(&at, samples, hann + at.n, 1, up);
        }
        if (up < p->unit) {
            th_spectral_piece(&at, samples + up, hann + p->window - at.n, -1, p->unit - up);
        }
    }
    return at.bits ? th_leading_zeros(at.bits) - 2 : 0;
}

TH_INLINE int32_t th_spectral_scaled(int32_t x, int32_t shift)
{
    return (int32_t)((uint32_t)x << shift) >> 2;
}

/* The first two stages, whose factors are 1 and -i. */
TH_LOOP void th_spectral_first(int32_t *z, int32_t fft, int32_t shift)
{
    for (int32_t i = 0; i < fft; i += 8, z += 8) {
        const int32_t ar = th_spectral_scaled(z[0], shift), ai = th_spectral_scaled(z[1], shift);
        const int32_t br = th_spectral_scaled(z[2], shift), bi = th_spectral_scaled(z[3], shift);
        const int32_t cr = th_spectral_scaled(z[4], shift), ci = th_spectral_scaled(z[5], shift);
        const int32_t dr = th_spectral_scaled(z[6], shift), di = th_spectral_scaled(z[7], shift);
        const int32_t sr = ar + br, si = ai + bi, tr = ar - br, ti = ai - bi;
        const int32_t ur = cr + dr, ui = ci + di, vr = cr - dr, vi = ci - di;
        z[0] = sr + ur;
        z[1] = si + ui;
        z[2] = tr + vi;
        z[3] = ti - vr;
        z[4] = sr - ur;
        z[5] = si - ui;
        z[6] = tr - vi;
        z[7] = ti + vr;
    }
}

/* A stage of butterflies of distance h, in bins; every second one has a factor of -i more. */
TH_LOOP void th_spectral_stage(int32_t *z, int32_t fft, int32_t h, const int32_t *twiddles)
{
    const int32_t step = fft / h;
    for (int32_t k = 0; k < h / 2; k++, z += 2, twiddles += step) {
        const int32_t c = twiddles[0], s = twiddles[1];
        int32_t *a = z;
        for (int32_t i = 0; i < fft; i += 4 * h, a += 4 * h) {
            int32_t *b = a + 2 * h;
            int32_t *d = a + h;
            int32_t *e = d + 2 * h;
            const int32_t tr = th_high_sum(b[0], c, b[1], s), ti = th_high_difference(b[1], c, b[0], s);
            const int32_t ar = a[0] >> 1, ai = a[1] >> 1;
            a[0] = ar + tr;
            a[1] = ai + ti;
            b[0] = ar - tr;
            b[1] = ai - ti;
            const int32_t ur = th_high_sum(e[0], c, e[1], s), ui = th_high_difference(e[1], c, e[0], s);
            const int32_t dr = d[0] >> 1, di = d[1] >> 1;
            d[0] = dr + ui;
            d[1] = di - ur;
            e[0] = dr - ui;
            e[1] = di + ur;
        }
    }
}

/* From even and odd samples as real and imaginary parts to the transform of all. */
TH_LOOP void th_spectral_separate(int32_t *z, int32_t fft, const int32_t *twiddles)
{
    int32_t *a = z;
    int32_t *b = z + fft;
    const int32_t r = z[0] >> 1, i = z[1] >> 1;
    b[0] = r - i;
    b[1] = 0;
    a[0] = r + i;
    a[1] = 0;
    for (int32_t k = 1; k <= fft / 4; k++) {
        a += 2;
        b -= 2;
        twiddles += 2;
        const int32_t ar = a[0] >> 1, ai = a[1] >> 1, br = b[0] >> 1, bi = b[1] >> 1;
        const int32_t sr = (ar + br) >> 1, si = (ai - bi) >> 1, dr = ar - br, di = ai + bi;
        const int32_t tr = th_high_sum(dr, twiddles[0], di, twiddles[1]);
        const int32_t ti = th_high_difference(di, twiddles[0], dr, twiddles[1]);
        a[0] = sr + ti;
        a[1] = si - tr;
        b[0] = sr - ti;
        b[1] = -si - tr;
    }
}

/* The transform of a frame, and its shift. */
TH_INLINE int32_t th_spectrum(const th_spectral_params *p, const void *const *rows, const th_spectral_tables *t,
                              int32_t *z)
{
    const int32_t shift = th_spectral_load(p, rows, t->hann, z);
    th_spectral_first(z, p->fft, shift);
    for (int32_t h = 4; h < p->fft / 2; h *= 2) {
        th_spectral_stage(z, p->fft, h, t->twiddles);
    }
    th_spectral_separate(z, p->fft, t->twiddles);
    return shift;
}

/* A level: log2 of a sum in 16 bits after the point, plus `add`, at least 0, less half of the range. */
TH_LOOP int32_t th_spectral_level(uint64_t sum, int32_t add, int32_t half, const int16_t *logs)
{
    const uint32_t high = (uint32_t)(sum >> 32);
    if (sum == 0) {
        return -half;
    }
    const int32_t zeros = high ? th_leading_zeros(high) : 32 + th_leading_zeros((uint32_t)sum);
    const uint32_t fraction = (uint32_t)((sum << zeros) >> 32) & UINT32_C(0x7fffffff);
    const int32_t i = (int32_t)(fraction >> 25);
    const int32_t between = ((logs[i + 1] - logs[i]) * (int32_t)((fraction >> 10) & 0x7fff)) >> 15;
    const int32_t bits = ((int32_t)(fraction >> 13) + logs[i] + between) >> 2;
    return th_max((63 - zeros) * 65536 + bits + add, 0) - half;
}

TH_INLINE uint64_t th_spectral_power(const int32_t *z)
{
    const int32_t r = z[0] >> 6, i = z[1] >> 6;
    return (uint64_t)((int64_t)r * r + (int64_t)i * i);
}

/* Levels of filters, each bin being shared by two. */
TH_LOOP void th_spectral_mels(const th_spectral_params *p, const th_spectral_tables *t, const int32_t *z, int32_t add,
                              int32_t *levels)
{
    const int16_t *rising = t->rising;
    uint64_t kept = 0;
    int32_t k = p->first;
    z += 2 * k;
    for (int32_t i = 0; i <= p->filters; i++) {
        uint64_t fall = kept;
        uint64_t rise = 0;
        for (; k < t->ends[i]; k++, z += 2, rising++) {
            const uint64_t power = th_spectral_power(z);
            const uint32_t weight = (uint16_t)*rising;
            const uint64_t part = power * weight;
            rise += part;
            fall += (power << 15) - part;
        }
        if (i > 0) {
            levels[i - 1] = th_spectral_level(fall, add, p->half, t->logs);
        }
        kept = rise;
    }
}

/*
 * Levels of all filters, or of all bins if there are none, in scratch of [fft + 2 + filters] (or [fft + 2], where those
 * of bins take the place of the bins); returns where they are.
 */
TH_INLINE int32_t *th_spectral_levels(const th_spectral_params *p, const void *const *rows,
                                      const th_spectral_tables *t, int32_t *z)
{
    const int32_t add = p->offset - th_spectrum(p, rows, t, z) * 2 * 65536;
    if (p->filters) {
        int32_t *levels = z + p->fft + 2;
        th_spectral_mels(p, t, z, add, levels);
        return levels;
    }
    for (int32_t k = 0; k <= p->fft / 2; k++) {
        z[k] = th_spectral_level(th_spectral_power(z + 2 * k) << 15, add, p->half, t->logs);
    }
    return z;
}

/* Output i, before it is scaled: a level, or a coefficient of all levels. */
TH_INLINE int32_t th_spectral_value(const th_spectral_params *p, const int32_t *levels, const int16_t *dct, int32_t i)
{
    int64_t sum = 1 << 14;
    if (!dct) {
        return levels[i];
    }
    dct += i * p->filters;
    for (int32_t m = 0; m < p->filters; m++) {
        sum += (int64_t)levels[m] * dct[m];
    }
    return (int32_t)(sum >> 15);
}

TH_INLINE int32_t th_spectral_quantized(const th_spectral_params *p, int32_t value)
{
    return th_clamp(th_requantize(value, p->multiplier, p->shift) + p->zero, p->min, p->max);
}

#endif
