/*
 * Quantized multiplication, int8, for cores with the DSP instructions; bit-exact with MUL's reference. Right shifts from 1 to
 * 22: products are doubled, so that SMMLAR rounds as the rounding doubling high multiply does.
 */
#ifndef TH_PRODUCT_S8_DSP_H
#define TH_PRODUCT_S8_DSP_H

#include "th_broadcast.h"
#include "th_limit_s8.h"

typedef struct {
    th_broadcast b;
    int32_t zero1, zero2;
    int32_t multiplier, add, right; /* add: half and the output's zero point, shifted left by `right` */
    int32_t min, max;
} th_product_dsp_params;

/* A run of n elements, of inputs that go on by step1 and step2. */
TH_INLINE void th_product_dsp_run(const th_product_dsp_params *p, const int8_t *input1, int32_t step1,
                                  const int8_t *input2, int32_t step2, int32_t n, int8_t *output)
{
    const int32_t zero1 = p->zero1, zero2 = 2 * p->zero2;
    const int32_t multiplier = p->multiplier, add = p->add, right = p->right;
    for (int8_t *end = output + n; output != end; input1 += step1, input2 += step2) {
        const int32_t product = (*input1 - zero1) * (2 * *input2 - zero2);
        *output++ = (int8_t)th_ssat8(th_smmlar(product, multiplier, add + (product >> 31)) >> right);
    }
}

TH_KERNEL void th_mul_s8_dsp(const th_product_dsp_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)
{
    const int32_t n = p->b.size[5];
    const int32_t step1 = p->b.step1[5];
    const int32_t step2 = p->b.step2[5];
    th_broadcast_place place = {{0, 0, 0, 0, 0}, 0, 0};
    int8_t *to = output;
    do {
        const int8_t *from1 = input1 + place.at1;
        const int8_t *from2 = input2 + place.at2;
        if (step1 == 1 && step2 == 1) {
            th_product_dsp_run(p, from1, 1, from2, 1, n, to);
        } else {
            th_product_dsp_run(p, from1, step1, from2, step2, n, to);
        }
        to += n;
    } while (th_broadcast_next(&p->b, &place));
    th_limit_s8(output, (int32_t)(to - output), 1, (int32_t)(to - output), p->min, p->max);
}

#endif
