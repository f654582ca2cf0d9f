/*
 * Addition of two int8 tensors of one shape, for Helium; bit-exact with sumReference. The input of the larger scale
 * is only shifted, as its multiplier is a half; the other's sum is rounded twice, as is the result. One is taken off
 * what is negative before a rounding shift, so that halves are rounded away from zero. Four elements take 16
 * instructions.
 */
#ifndef TH_SUM_S8_HELIUM_H
#define TH_SUM_S8_HELIUM_H

#include "th_helium.h"

typedef struct {
    int32_t n;
    int32_t factor1, offset1;    /* of the first: 2^19, and minus its zero point times that */
    int32_t factor2, offset2;    /* of the second: 2^20 or more; that of the subtracted one is negative */
    int32_t multiplier2, right2; /* right shifts from 1 */
    int32_t out_multiplier, out_right, out_zero, min, max;
} th_sum_helium_params;

#if TH_HELIUM

TH_KERNEL void th_sum_s8_helium(const th_sum_helium_params *p, const int8_t *input1, const int8_t *input2,
                                int8_t *output)
{
    const int32x4_t factor1 = vdupq_n_s32(p->factor1);
    const int32x4_t factor2 = vdupq_n_s32(p->factor2);
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    if (p->n == 0) {
        return;
    }
    __asm__ volatile("dlstp.32 lr, %[n]\n"
                     "0:\n"
                     "vldrb.s32 q0, [%[x2]], #4\n"
                     "vmlas.s32 q0, %q[factor2], %[offset2]\n"
                     "vldrb.s32 q2, [%[x1]], #4\n"
                     "vshr.s32 q1, q0, #31\n"
                     "vqrdmlah.s32 q1, q0, %[multiplier2]\n"
                     "vmlas.s32 q2, %q[factor1], %[offset1]\n"
                     "vrshl.s32 q1, %[left2]\n"
                     "vadd.i32 q1, q1, q2\n"
                     "vshr.s32 q0, q1, #31\n"
                     "vqrdmlah.s32 q0, q1, %[multiplier]\n"
                     "vrshl.s32 q0, %[left]\n"
                     "vadd.i32 q0, q0, %[zero]\n"
                     "vmax.s32 q0, q0, %q[min]\n"
                     "vmin.s32 q0, q0, %q[max]\n"
                     "vstrb.32 q0, [%[to]], #4\n"
                     "letp lr, 0b"
                     : [x1] "+l"(input1), [x2] "+l"(input2), [to] "+l"(output)
                     : [n] "r"(p->n), [factor1] "w"(factor1), [factor2] "w"(factor2), [min] "w"(min), [max] "w"(max),
                       [offset1] "r"(p->offset1), [offset2] "r"(p->offset2), [multiplier2] "r"(p->multiplier2),
                       [left2] "r"(-p->right2), [multiplier] "r"(p->out_multiplier), [left] "r"(-p->out_right),
                       [zero] "r"(p->out_zero)
                     : "lr", "q0", "q1", "q2", "memory");
}

#else

TH_KERNEL void th_sum_s8_helium(const th_sum_helium_params *p, const int8_t *input1, const int8_t *input2,
                                int8_t *output)
{
    for (int32_t i = 0; i < p->n; i++) {
        const int32_t first = input1[i] * p->factor1 + p->offset1;
        const int32_t second = input2[i] * p->factor2 + p->offset2;
        const int32_t sum = first + th_requantize(second, p->multiplier2, -p->right2);
        output[i] = th_helium_finish(sum, p->out_multiplier, p->out_right, p->out_zero, p->min, p->max);
    }
}

#endif

#endif
