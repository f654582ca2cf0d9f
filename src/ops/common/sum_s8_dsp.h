/*
 * Addition of two int8 tensors of one shape, for cores with SIMD on halves; bit-exact with sumReference. The input of the
 * larger scale is only shifted, as its multiplier is a half; the other's sum is rounded twice, as is the result, each time
 * by a product and a shift of 1 to 22.
 */
#ifndef TH_SUM_S8_DSP_H
#define TH_SUM_S8_DSP_H

#include "th_dsp.h"

/* Results are doubled, so that the high word of a product is the doubling multiply. */
typedef struct {
    int32_t n;
    int32_t offset1;                        /* minus the zero point of the first, shifted left by 20 */
    int32_t left, offset2;                  /* of the second: shift, and minus its zero point shifted so */
    int32_t multiplier2, half2, right2;     /* half: 2^(right - 1) */
    int32_t out_multiplier, add, out_right; /* add: half and zero point, shifted left by out_right */
    int32_t min, max;
} th_sum_dsp_params;

TH_INLINE int32_t th_sum_dsp_value(const th_sum_dsp_params *p, int32_t x1, int32_t x2)
{
    /* Shifts of what may be negative; no bit is lost. */
    const int32_t wide = (int32_t)((uint32_t)x2 << p->left) + p->offset2;
    const int32_t scaled = th_smmlar(wide, p->multiplier2, p->half2 + (wide >> 31)) >> p->right2;
    const int32_t first = (int32_t)((uint32_t)x1 << 20) + p->offset1;
    const int32_t sum = first + (int32_t)((uint32_t)scaled << 1);
    return th_ssat8(th_smmlar(sum, p->out_multiplier, p->add + (sum >> 31)) >> p->out_right);
}

TH_KERNEL void th_sum_s8_dsp(const th_sum_dsp_params *params, const int8_t *input1, const int8_t *input2,
                             int8_t *output)
{
    const th_sum_dsp_params p = *params;
    const int8_t *const end = input1 + p.n;
    while (input1 != end) {
        *output++ = (int8_t)th_sum_dsp_value(&p, *input1++, *input2++);
    }
    if (p.min > INT8_MIN || p.max < INT8_MAX) {
        for (int32_t i = -p.n; i < 0; i++) {
            output[i] = (int8_t)th_clamp(output[i], p.min, p.max);
        }
    }
}

#endif
