/*
 * Sum or mean over all but the channels, int8, eight channels at a time, for Helium; bit-exact with sumReduction in
 * reduce-sum.ts, for right shifts from 1. As th_reduce_sum_s8.h with second and inner 1: input [outer][first][middle],
 * output [outer][middle].
 */
#ifndef TH_REDUCE_SUM_S8_HELIUM_H
#define TH_REDUCE_SUM_S8_HELIUM_H

#include "th_helium.h"
#include "th_reduce_sum.h"
#include "th_reduce_sum_s8.h"

#if TH_HELIUM

/* Elements whose sum is sure to fit into 16 bits. */
enum { th_reduce_sum_most = 256 };

/* Sums of channels of even and of odd index. */
typedef struct {
    int32x4_t even, odd;
} th_reduce_sums8;

/* With n elements of each channel, `step` apart. */
TH_INLINE th_reduce_sums8 th_reduce_sums8_add(th_reduce_sums8 sums, const int8_t *in, int32_t n, int32_t step,
                                              mve_pred16_t some)
{
    while (n > 0) {
        int16x8_t part = vdupq_n_s16(0);
        const int32_t most = th_min(n, th_reduce_sum_most);
        for (int32_t i = most; i > 0; i--, in += step) {
            part = vaddq_s16(part, vldrbq_z_s16(in, some));
        }
        sums.even = vaddq_s32(sums.even, vmovlbq_s16(part));
        sums.odd = vaddq_s32(sums.odd, vmovltq_s16(part));
        n -= most;
    }
    return sums;
}

TH_INLINE int32x4_t th_reduce_sums8_scale(const th_reduce_sum_params *p, int32x4_t sum)
{
    sum = vaddq_n_s32(sum, -p->in_zero_sum);
    const int32x4_t sign = vshrq_n_s32(sum, 31);
    sum = vaddq_s32(vqrdmulhq_n_s32(sum, p->multiplier), sign);
    return vaddq_n_s32(vrshlq_n_s32(sum, p->shift), p->out_zero);
}

TH_INLINE void th_reduce_sums8_store(const th_reduce_sum_params *p, th_reduce_sums8 sums, int8_t *output,
                                     mve_pred16_t some)
{
    int16x8_t y = vqmovnbq_s32(vdupq_n_s16(0), th_reduce_sums8_scale(p, sums.even));
    y = vqmovntq_s32(y, th_reduce_sums8_scale(p, sums.odd));
    y = vminq_s16(vmaxq_s16(y, vdupq_n_s16((int16_t)p->min)), vdupq_n_s16((int16_t)p->max));
    vstrbq_p_s16(output, y, some);
}

TH_KERNEL void th_reduce_sum_s8_helium(const th_reduce_sum_params *p, const int8_t *input, int8_t *output)
{
    const int32_t channels = p->middle;
    for (int32_t o = 0; o < p->outer; o++, input += p->first * channels, output += channels) {
        for (int32_t c = 0; c < channels; c += 8) {
            const mve_pred16_t some = vctp16q((uint32_t)(channels - c));
            th_reduce_sums8 sums = {vdupq_n_s32(0), vdupq_n_s32(0)};
            sums = th_reduce_sums8_add(sums, input + c, p->first, channels, some);
            th_reduce_sums8_store(p, sums, output + c, some);
        }
    }
}

/* Takes row `row` of [outer], in order. scratch: sums [middle] of eight channels at a time, even ones first. */
TH_KERNEL void th_reduce_sum_s8_helium_fold(const th_reduce_sum_params *p, int32_t row, const int8_t *input,
                                            void *scratch, int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    const int32_t channels = p->middle;
    for (int32_t c = 0; c < channels; c += 8) {
        const int32_t n = th_min(channels - c, 8);
        const mve_pred16_t some = vctp16q((uint32_t)n);
        const mve_pred16_t even = vctp32q((uint32_t)((n + 1) >> 1));
        const mve_pred16_t odd = vctp32q((uint32_t)(n >> 1));
        int32_t *second = kept + c + ((n + 1) >> 1);
        th_reduce_sums8 sums = {vdupq_n_s32(0), vdupq_n_s32(0)};
        if (row > 0) {
            sums.even = vldrwq_z_s32(kept + c, even);
            sums.odd = vldrwq_z_s32(second, odd);
        }
        sums = th_reduce_sums8_add(sums, input + c, p->first, channels, some);
        if (row + 1 < p->outer) {
            vstrwq_p_s32(kept + c, sums.even, even);
            vstrwq_p_s32(second, sums.odd, odd);
        } else {
            th_reduce_sums8_store(p, sums, output + c, some);
        }
    }
}

#else

#define th_reduce_sum_s8_helium th_reduce_sum_s8
#define th_reduce_sum_s8_helium_fold th_reduce_sum_s8_fold

#endif

#endif
