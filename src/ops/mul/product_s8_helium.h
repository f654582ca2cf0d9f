/*
 * Multiplication of int8 tensors of one shape, or of one of them with as many values as the other's last axes have,
 * four elements at a time, for Helium; bit-exact with MUL's reference.
 */
#ifndef TH_PRODUCT_S8_HELIUM_H
#define TH_PRODUCT_S8_HELIUM_H

#include "th_helium.h"

typedef struct {
    int32_t outer, n;     /* runs of n elements */
    int32_t step1, step2; /* from run to run: n, or 0 for the tensor whose only run is taken again */
    int32_t zero1, zero2, out_zero;
    int32_t multiplier, right; /* right shifts from 1 */
    int32_t min, max;
} th_product_helium_params;

#if TH_HELIUM

/* The products of n elements, n from 1. */
TH_INLINE void th_product_s8_helium_run(const th_product_helium_params *p, const int8_t *input1, const int8_t *input2,
                                        int8_t *output)
{
    const int32x4_t offset1 = vdupq_n_s32(-p->zero1);
    const int32x4_t offset2 = vdupq_n_s32(-p->zero2);
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    __asm__ volatile("dlstp.32 lr, %[n]\n"
                     "0:\n"
                     "vldrb.s32 q0, [%[x1]], #4\n"
                     "vadd.i32 q0, q0, %q[offset1]\n"
                     "vldrb.s32 q1, [%[x2]], #4\n"
                     "vadd.i32 q1, q1, %q[offset2]\n"
                     "vmul.i32 q0, q0, q1\n"
                     "vshr.s32 q1, q0, #31\n"
                     "vqrdmlah.s32 q1, q0, %[multiplier]\n"
                     "vrshl.s32 q1, %[left]\n"
                     "vadd.i32 q1, q1, %[zero]\n"
                     "vmax.s32 q1, q1, %q[min]\n"
                     "vmin.s32 q1, q1, %q[max]\n"
                     "vstrb.32 q1, [%[to]], #4\n"
                     "letp lr, 0b"
                     : [x1] "+l"(input1), [x2] "+l"(input2), [to] "+l"(output)
                     : [n] "r"(p->n), [min] "w"(min), [max] "w"(max), [offset1] "w"(offset1), [offset2] "w"(offset2),
                       [multiplier] "r"(p->multiplier), [left] "r"(-p->right), [zero] "r"(p->out_zero)
                     : "lr", "q0", "q1", "memory");
}

#else

TH_INLINE void th_product_s8_helium_run(const th_product_helium_params *p, const int8_t *input1, const int8_t *input2,
                                        int8_t *output)
{
    for (int32_t i = 0; i < p->n; i++) {
        const int32_t product = (input1[i] - p->zero1) * (input2[i] - p->zero2);
        output[i] = th_helium_finish(product, p->multiplier, p->right, p->out_zero, p->min, p->max);
    }
}

#endif

/* output [outer][n], inputs the same or [n]. */
TH_KERNEL void th_product_s8_helium(const th_product_helium_params *p, const int8_t *input1, const int8_t *input2,
                                    int8_t *output)
{
    for (int32_t i = 0; i < p->outer && p->n > 0; i++) {
        th_product_s8_helium_run(p, input1, input2, output);
        input1 += p->step1;
        input2 += p->step2;
        output += p->n;
    }
}

#endif
