/*
 * Addition and subtraction of two int8 tensors of one shape, for cores with SIMD on halves; bit-exact with sumReference. The input of the
 * larger scale is only shifted, as its multiplier is a half; the other's sum is rounded twice, as is the result, each time
 * by a product and a shift of 1 to 22.
 */
#ifndef TH_SUM_S8_DSP_H
#define TH_SUM_S8_DSP_H

#include "th_limit_s8.h"

/* Results are doubled, so that the high word of a product is the doubling multiply. The assembly knows the offsets. */
typedef struct {
    int32_t n;
    int32_t offset1;                        /* minus (or plus) the zero point of the first, shifted left by 20 */
    int32_t left, offset2;                  /* of the second: shift, 21 or 22, and minus its zero point shifted so */
    int32_t multiplier2, half2, right2;     /* half: 2^(right - 1) */
    int32_t out_multiplier, add, out_right; /* add: half and zero point, shifted left by out_right */
    int32_t min, max;
} th_sum_dsp_params;

/* The signs that the scaled inputs are added with; offset1 has the first one's. */
TH_INLINE int32_t th_sum_dsp_value(const th_sum_dsp_params *p, int32_t x1, int32_t x2, int32_t sign1, int32_t sign2)
{
    /* Shifts of what may be negative; no bit is lost. */
    const int32_t wide = (int32_t)((uint32_t)x2 << p->left) + p->offset2;
    const int32_t scaled = th_smmlar(wide, p->multiplier2, p->half2 + (wide >> 31)) >> p->right2;
    const int32_t first = (int32_t)((uint32_t)(sign1 * x1) << 20) + p->offset1;
    const int32_t sum = first + (int32_t)((uint32_t)(sign2 * scaled) << 1);
    return th_ssat8(th_smmlar(sum, p->out_multiplier, p->add + (sum >> 31)) >> p->out_right);
}

#if TH_DSP_ASM

/* r0 and r1 inputs, r2 output; r4 offset1, r5 offset2, r6 multiplier2, r7 half2, r8 right2, r9 out_multiplier, r10 add,
 * r11 out_right; `left` is the shift of the second, op1 and op2 are "add" or "sub". */
#define TH_SUM_ONE(left, op1, op2)                                                                                          \
    "ldrsb r12, [r1], #1\n"                                                                                            \
    "add r12, r5, r12, lsl #" left "\n"                                                                                \
    "add lr, r7, r12, asr #31\n"                                                                                       \
    "smmlar r12, r12, r6, lr\n"                                                                                        \
    "ldrsb lr, [r0], #1\n"                                                                                             \
    "asr r12, r12, r8\n"                                                                                               \
    op1 " lr, r4, lr, lsl #20\n"                                                                                        \
    op2 " lr, lr, r12, lsl #1\n"                                                                                        \
    "add r12, r10, lr, asr #31\n"                                                                                      \
    "smmlar lr, lr, r9, r12\n"                                                                                         \
    "asr lr, lr, r11\n"                                                                                                \
    "ssat lr, #8, lr\n"                                                                                                \
    "strb lr, [r2], #1\n"
#define TH_SUM_FOURS(left, op1, op2)                                                                                             \
    __asm__("push {r4-r11, lr}\n"                                                                                      \
            "mov r12, r0\n"                                                                                            \
            "mov r0, r1\n"                                                                                             \
            "mov r1, r2\n"                                                                                             \
            "mov r2, r3\n"                                                                                             \
            "ldr r3, [r12]\n"                                                                                          \
            "bic r3, r3, #3\n"                                                                                         \
            "add r3, r3, r0\n"                                                                                         \
            "ldr r4, [r12, #4]\n"                                                                                      \
            "ldrd r5, r6, [r12, #12]\n"                                                                                \
            "ldrd r7, r8, [r12, #20]\n"                                                                                \
            "ldrd r9, r10, [r12, #28]\n"                                                                               \
            "ldr r11, [r12, #36]\n"                                                                                    \
            "1:\n"                                                                                                     \
            "cmp r0, r3\n"                                                                                             \
            "beq 2f\n" TH_SUM_ONE(left, op1, op2) TH_SUM_ONE(left, op1, op2) TH_SUM_ONE(left, op1, op2)  \
                TH_SUM_ONE(left, op1, op2) "b 1b\n"                    \
            "2:\n"                                                                                                     \
            "pop {r4-r11, pc}\n")

/* All elements but the last n % 4, for a second input that is shifted left by 21, and by 22. */
#define TH_SUM_DEFINE_FOURS(name, op1, op2)                                                                            \
    TH_NAKED void name##_fours_21(const th_sum_dsp_params *p TH_ASM_ARG, const int8_t *input1 TH_ASM_ARG,              \
                                  const int8_t *input2 TH_ASM_ARG, int8_t *output TH_ASM_ARG)                          \
    {                                                                                                                  \
        TH_SUM_FOURS("21", op1, op2);                                                                                  \
    }                                                                                                                  \
    TH_NAKED void name##_fours_22(const th_sum_dsp_params *p TH_ASM_ARG, const int8_t *input1 TH_ASM_ARG,              \
                                  const int8_t *input2 TH_ASM_ARG, int8_t *output TH_ASM_ARG)                          \
    {                                                                                                                  \
        TH_SUM_FOURS("22", op1, op2);                                                                                  \
    }
#define TH_SUM_CALL_FOURS(name)                                                                                        \
    if (p->left == 21) {                                                                                               \
        name##_fours_21(p, input1, input2, output);                                                                    \
    } else {                                                                                                           \
        name##_fours_22(p, input1, input2, output);                                                                    \
    }

#else

#define TH_SUM_DEFINE_FOURS(name, op1, op2)
#define TH_SUM_CALL_FOURS(name)

#endif

#define TH_SUM_DEFINE(name, op1, sign1, op2, sign2)                                                                    \
    TH_SUM_DEFINE_FOURS(name, op1, op2)                                                                                \
    TH_KERNEL void name(const th_sum_dsp_params *p, const int8_t *input1, const int8_t *input2, int8_t *output)        \
    {                                                                                                                  \
        TH_SUM_CALL_FOURS(name)                                                                                        \
        for (int32_t done = TH_DSP_ASM ? p->n & ~3 : 0; done < p->n; done++) {                                         \
            output[done] = (int8_t)th_sum_dsp_value(p, input1[done], input2[done], sign1, sign2);                      \
        }                                                                                                              \
        th_limit_s8(output, p->n, 1, p->n, p->min, p->max);                                                            \
    }

/* The sum; the first less the second, and the second less the first. */
TH_SUM_DEFINE(th_sum_s8_dsp, "add", 1, "add", 1)
TH_SUM_DEFINE(th_less_second_s8_dsp, "add", 1, "sub", -1)
TH_SUM_DEFINE(th_less_first_s8_dsp, "sub", -1, "add", 1)

#endif
