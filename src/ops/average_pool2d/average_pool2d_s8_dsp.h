/*
 * Average pooling, int8, of four or more channels, for cores with SIMD on halves; bit-exact with the family's reference in
 * pool2d.ts. Eight channels at a time, then four, the last four of those before if need be. Padding takes no part.
 */
#ifndef TH_AVERAGE_POOL2D_S8_DSP_H
#define TH_AVERAGE_POOL2D_S8_DSP_H

#include "th_channel_sums.h"
#include "th_limit_s8.h"
#include "th_pool2d.h"
#include "th_rows.h"

/* The average of `count` elements, halves rounded away from zero. */
TH_INLINE int8_t th_average_pool2d_dsp_end(int32_t sum, int32_t count)
{
    const int32_t half = count / 2;
    return (int8_t)((sum + (half ^ (sum >> 31)) - (sum >> 31)) / count);
}

/* The averages of four channels from the sums of channels 0 and 2, and of 1 and 3. */
TH_ROW void th_average_pool2d_dsp_end4(uint32_t even, uint32_t odd, int32_t count, int8_t *output)
{
    output[0] = th_average_pool2d_dsp_end(th_low_half(even), count);
    output[1] = th_average_pool2d_dsp_end(th_low_half(odd), count);
    output[2] = th_average_pool2d_dsp_end(th_high_half(even), count);
    output[3] = th_average_pool2d_dsp_end(th_high_half(odd), count);
}

/* The averages of four channels over a large window: `width` pixels of each row, from byte `first` on. */
TH_ROW void th_average_pool2d_dsp_large(const th_pool2d_params *p, const void *const *rows, th_taps inside,
                                        int32_t first, int32_t width, int8_t *output)
{
    int32_t sums[4] = {0, 0, 0, 0};
    th_channel_sums halves;
    th_channel_sums_clear(&halves);
    for (int32_t ky = inside.first; ky < inside.end; ky++) {
        th_channel_sums_add(&halves, (const int8_t *)rows[ky] + first, width, p->in_step, 4, sums);
    }
    th_channel_sums_flush(&halves, sums, 4);
    for (int32_t c = 0; c < 4; c++) {
        output[c] = th_average_pool2d_dsp_end(sums[c], (inside.end - inside.first) * width);
    }
}

/* The same of `channels`, eight or four, over a window whose sums fit into halves. */
TH_INLINE void th_average_pool2d_dsp_small(const th_pool2d_params *p, const void *const *rows, th_taps inside,
                                           int32_t first, int32_t width, int32_t channels, int8_t *output)
{
    const int32_t count = (inside.end - inside.first) * width;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t ky = inside.first; ky < inside.end; ky++) {
        const int8_t *in = (const int8_t *)rows[ky] + first;
        for (int32_t i = width; i > 0; i--, in += p->in_step) {
            const uint32_t low = th_load32(in);
            const uint32_t high = channels > 4 ? th_load32(in + 4) : 0;
            a = th_sxtab16(a, low);
            b = th_sxtab16_ror8(b, low);
            if (channels > 4) {
                c = th_sxtab16(c, high);
                d = th_sxtab16_ror8(d, high);
            }
        }
    }
    th_average_pool2d_dsp_end4(a, b, count, output);
    if (channels > 4) {
        th_average_pool2d_dsp_end4(c, d, count, output + 4);
    }
}

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void th_average_pool2d_s8_dsp(const th_pool2d_params *p, const void *const *rows, int8_t *output)
{
    const th_taps inside = th_rows_inside(rows, p->k_h);
    const int32_t most = th_channel_sums_most / th_max(inside.end - inside.first, 1);
    int8_t *to = output;
    for (int32_t ox = 0; ox < p->out_w; ox++, to += p->out_step) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int32_t first = (x0 + columns.first) * p->in_step;
        const int32_t width = columns.end - columns.first;
        int32_t c = 0;
        for (; width <= most && c + 8 <= p->channels; c += 8) {
            th_average_pool2d_dsp_small(p, rows, inside, first + c, width, 8, to + c);
        }
        for (; c < p->channels; c += 4) {
            c = th_min(c, p->channels - 4);
            if (width <= most) {
                th_average_pool2d_dsp_small(p, rows, inside, first + c, width, 4, to + c);
            } else {
                th_average_pool2d_dsp_large(p, rows, inside, first + c, width, to + c);
            }
        }
    }
    th_limit_s8(output, p->out_step, p->out_w, p->channels, p->min, p->max);
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: int32 sums [out_w][channels], kept between calls.
 */
TH_KERNEL void th_average_pool2d_s8_dsp_fold(const th_pool2d_params *p, int32_t y, const int8_t *input, void *scratch,
                                             int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    if (y == 0) {
        memset(kept, 0, (size_t)(p->out_w * p->channels) * sizeof *kept);
    }
    for (int32_t ox = 0; ox < p->out_w; ox++, output += p->out_step, kept += p->channels) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p->k_w, p->in_w);
        const int8_t *first = input + (x0 + columns.first) * p->in_step;
        const int32_t width = columns.end - columns.first;
        int32_t c = 0;
        for (; c + 4 <= p->channels; c += 4) {
            th_channel_sums halves;
            th_channel_sums_clear(&halves);
            th_channel_sums_add(&halves, first + c, width, p->in_step, 4, kept + c);
            th_channel_sums_flush(&halves, kept + c, 4);
        }
        for (int32_t left = p->channels & 3; left > 0; left--, c++) {
            for (int32_t x = 0; x < width; x++) {
                kept[c] += first[c + x * p->in_step];
            }
        }
        for (c = 0; y + 1 == p->in_h && c < p->channels; c++) {
            const int32_t average = th_average_pool2d_dsp_end(kept[c], p->in_h * width);
            output[c] = (int8_t)th_clamp(average, p->min, p->max);
        }
    }
}

#endif
