/*
 * Sums over pixels of eight or four int8 channels at a time, for cores with SIMD on halves: bytes are added to halves of words,
 * which hold the sums of 256 elements; before they would be too small they go into sums of 32 bits.
 */
#ifndef TH_CHANNEL_SUMS_H
#define TH_CHANNEL_SUMS_H

#include "th_dsp.h"

/* Elements whose sum is sure to fit into a half. */
enum { th_channel_sums_most = 256 };

/* Sums of channels 0 and 2, 1 and 3, and of the next four. `count`: how many elements each holds. */
typedef struct {
    uint32_t halves[4];
    int32_t count;
} th_channel_sums;

TH_INLINE void th_channel_sums_clear(th_channel_sums *s)
{
    s->halves[0] = s->halves[1] = s->halves[2] = s->halves[3] = 0;
    s->count = 0;
}

/* Adds the halves to the sums of four or eight channels, and clears them. */
TH_INLINE void th_channel_sums_flush(th_channel_sums *s, int32_t *sums, int32_t channels)
{
    for (int32_t i = 0; i < channels / 4; i++) {
        sums[4 * i] += th_low_half(s->halves[2 * i]);
        sums[4 * i + 1] += th_low_half(s->halves[2 * i + 1]);
        sums[4 * i + 2] += th_high_half(s->halves[2 * i]);
        sums[4 * i + 3] += th_high_half(s->halves[2 * i + 1]);
    }
    th_channel_sums_clear(s);
}

/* Adds n pixels, `step` apart, of four or eight channels; those that are full go to `sums`. */
TH_INLINE void th_channel_sums_add(th_channel_sums *s, const int8_t *in, int32_t n, int32_t step, int32_t channels,
                                   int32_t *sums)
{
    while (n > 0) {
        const int32_t most = th_min(n, th_channel_sums_most - s->count);
        uint32_t a = s->halves[0], b = s->halves[1], c = s->halves[2], d = s->halves[3];
        for (int32_t i = most; i > 0; i--, in += step) {
            const uint32_t first = th_load32(in);
            const uint32_t second = channels > 4 ? th_load32(in + 4) : 0;
            a = th_sxtab16(a, first);
            b = th_sxtab16_ror8(b, first);
            if (channels > 4) {
                c = th_sxtab16(c, second);
                d = th_sxtab16_ror8(d, second);
            }
        }
        s->halves[0] = a;
        s->halves[1] = b;
        s->halves[2] = c;
        s->halves[3] = d;
        s->count += most;
        n -= most;
        if (n > 0) {
            th_channel_sums_flush(s, sums, channels);
        }
    }
}

#endif
