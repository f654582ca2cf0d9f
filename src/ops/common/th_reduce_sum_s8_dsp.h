/*
 * Sum or mean over all but the channels, int8, of four or more channels, for cores with SIMD on halves; bit-exact with
 * sumReduction in reduce-sum.ts. As th_reduce_sum_s8.h with second and inner 1: input [outer][first][middle], output
 * [outer][middle].
 */
#ifndef TH_REDUCE_SUM_S8_DSP_H
#define TH_REDUCE_SUM_S8_DSP_H

#include "th_channel_sums.h"
#include "th_reduce_sum.h"

/* Outputs from their sums. */
TH_ROW void th_reduce_sum_s8_dsp_end(const th_reduce_sum_params *p, const int32_t *sums, int32_t channels, int8_t *output)
{
    for (int32_t c = 0; c < channels; c++) {
        output[c] = (int8_t)th_reduce_sum_finish(p, sums[c]);
    }
}

/* The outputs of four or eight channels. */
TH_INLINE void th_reduce_sum_s8_dsp_of(const th_reduce_sum_params *p, const int8_t *input, int32_t channels,
                                       int8_t *output)
{
    int32_t sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    th_channel_sums halves;
    th_channel_sums_clear(&halves);
    th_channel_sums_add(&halves, input, p->first, p->middle, channels, sums);
    th_channel_sums_flush(&halves, sums, channels);
    th_reduce_sum_s8_dsp_end(p, sums, channels, output);
}

TH_KERNEL void th_reduce_sum_s8_dsp(const th_reduce_sum_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t o = 0; o < p->outer; o++, input += p->first * p->middle, output += p->middle) {
        int32_t c = 0;
        for (; c + 8 <= p->middle; c += 8) {
            th_reduce_sum_s8_dsp_of(p, input + c, 8, output + c);
        }
        for (; c < p->middle; c += 4) {
            c = th_min(c, p->middle - 4);
            th_reduce_sum_s8_dsp_of(p, input + c, 4, output + c);
        }
    }
}

/* Takes row `row` of [outer], in order. scratch: sums [middle], kept between calls. */
TH_KERNEL void th_reduce_sum_s8_dsp_fold(const th_reduce_sum_params *p, int32_t row, const int8_t *input, void *scratch,
                                         int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    int32_t c = 0;
    if (row == 0) {
        memset(kept, 0, (size_t)p->middle * sizeof *kept);
    }
    for (; c + 4 <= p->middle; c += 4) {
        th_channel_sums halves;
        th_channel_sums_clear(&halves);
        th_channel_sums_add(&halves, input + c, p->first, p->middle, 4, kept + c);
        th_channel_sums_flush(&halves, kept + c, 4);
    }
    /* Counted down: with the sizes known, the compiler warns of an overflow of c that cannot be. */
    for (int32_t left = p->middle % 4; left > 0; left--, c++) {
        for (int32_t i = 0; i < p->first; i++) {
            kept[c] += input[c + i * p->middle];
        }
    }
    if (row + 1 == p->outer) {
        th_reduce_sum_s8_dsp_end(p, kept, p->middle, output);
    }
}

#endif
