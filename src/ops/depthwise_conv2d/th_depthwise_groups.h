/*
 * The inner loops of the depthwise convolution on planes: sums of products of halves for four outputs of one channel or two
 * at a time, and their requantization. In assembly, because compilers spill so many sums; and the same in C.
 */
#ifndef TH_DEPTHWISE_GROUPS_H
#define TH_DEPTHWISE_GROUPS_H

#include "th_dsp.h"

/* What the outputs of one channel need; the assembly knows the offsets. */
typedef struct {
    int32_t bias2, multiplier, add, right; /* 0 to 12: twice the bias; half and zero point, shifted left by `right` */
    int32_t out_step;                      /* 16: from pixel to pixel */
    int32_t rows;                          /* 20: of the window */
    int32_t row_bytes;                     /* 24: from a row of the planes to the next */
    int32_t weight_bytes;                  /* 28: of the widened weights */
    int32_t count;                         /* 32: groups of outputs, at least one */
} th_depthwise_run;

/*
 * One channel's outputs, groups of four or of two. data: the channel's words in the planes; weights: for each row `steps`
 * times (stride 1) the words for an even and for an odd output, or (stride 2) a word.
 */
typedef void th_depthwise_group(const int32_t *data, const int32_t *weights, int8_t *output,
                                const th_depthwise_run *run);

#if TH_DSP_ASM

#define TH_DW_ARGS                                                                                                     \
    const int32_t *data TH_ASM_ARG, const int32_t *weights TH_ASM_ARG, int8_t *output TH_ASM_ARG,                     \
        const th_depthwise_run *run TH_ASM_ARG
#define TH_DW_FINISH(sum)                                                                                              \
    "add " sum ", r8, " sum ", lsl #1\n"                                                                               \
    "add r12, r10, " sum ", asr #31\n"                                                                                 \
    "smmlar " sum ", " sum ", r9, r12\n"                                                                               \
    "asr " sum ", " sum ", r11\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
#define TH_DW_MAC(sum, x, w) "smlad " sum ", " x ", " w ", " sum "\n"
/* Two outputs; the second is written first, so that with a step of 0 the first is what remains. */
#define TH_DW_STORE(first, second)                                                                                     \
    "strb " second ", [r2, r12]\n"                                                                                     \
    "strb " first ", [r2]\n"                                                                                           \
    "add r2, r2, r12, lsl #1\n"
/* Stack: data, run, count, then what was saved. r0 data, r1 weights, r2 output, r3 bytes of a row. */
#define TH_DW_ENTER                                                                                                    \
    "push {r4-r11, lr}\n"                                                                                              \
    "ldr r4, [r3, #32]\n"                                                                                              \
    "sub sp, sp, #12\n"                                                                                                \
    "strd r0, r3, [sp]\n"                                                                                              \
    "str r4, [sp, #8]\n"                                                                                               \
    "1:\n"
#define TH_DW_ROWS                                                                                                     \
    "ldr r12, [sp, #4]\n"                                                                                              \
    "ldr r3, [r12, #24]\n"                                                                                             \
    "ldr r12, [r12, #20]\n"                                                                                            \
    "2:\n"
#define TH_DW_ROWS_END                                                                                                 \
    "add r0, r0, r3\n"                                                                                                 \
    "subs r12, r12, #1\n"                                                                                              \
    "bne 2b\n"                                                                                                         \
    "ldr r12, [sp, #4]\n"                                                                                              \
    "ldr r3, [r12, #28]\n"                                                                                             \
    "ldm r12, {r8-r11}\n"                                                                                              \
    "sub r1, r1, r3\n"
#define TH_DW_STEP "ldr r12, [sp, #4]\nldr r12, [r12, #16]\n"
#define TH_DW_LEAVE(advance)                                                                                           \
    "ldr r0, [sp]\n"                                                                                                   \
    "ldr r3, [sp, #8]\n"                                                                                               \
    "add r0, r0, #" advance "\n"                                                                                       \
    "str r0, [sp]\n"                                                                                                   \
    "subs r3, r3, #1\n"                                                                                                \
    "str r3, [sp, #8]\n"                                                                                               \
    "bne 1b\n"                                                                                                         \
    "add sp, sp, #12\n"                                                                                                \
    "pop {r4-r11, pc}\n"
#define TH_DW_FINISH_FOUR                                                                                              \
    TH_DW_FINISH("r4") TH_DW_FINISH("r5") TH_DW_FINISH("r6") TH_DW_FINISH("r7")                                        \
    TH_DW_STEP TH_DW_STORE("r4", "r5") TH_DW_STORE("r6", "r7")
#define TH_DW_FINISH_TWO TH_DW_FINISH("r4") TH_DW_FINISH("r5") TH_DW_STEP TH_DW_STORE("r4", "r5")
#define TH_DW_ZERO_FOUR "mov r4, #0\nmov r5, #0\nmov r6, #0\nmov r7, #0\n"
#define TH_DW_ZERO_TWO "mov r4, #0\nmov r5, #0\n"

/* A step of a row, stride 1: outputs 0 and 1 start at word x, outputs 2 and 3 at the next, which is loaded. */
#define TH_DW_FOUR_1(x, next, offset)                                                                                  \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    "ldr " next ", [r0, #" offset "*th_dw]\n"                                                                                \
    TH_DW_MAC("r4", x, "r8") TH_DW_MAC("r5", x, "r9") TH_DW_MAC("r6", next, "r8") TH_DW_MAC("r7", next, "r9")
#define TH_DW_FOUR_1_1 "ldr r10, [r0]\n" TH_DW_FOUR_1("r10", "r11", "1")
#define TH_DW_FOUR_1_2 TH_DW_FOUR_1_1 TH_DW_FOUR_1("r11", "r10", "2")
#define TH_DW_FOUR_1_3 TH_DW_FOUR_1_2 TH_DW_FOUR_1("r10", "r11", "3")
#define TH_DW_FOUR_1_4 TH_DW_FOUR_1_3 TH_DW_FOUR_1("r11", "r10", "4")
#define TH_DW_FOUR_1_5 TH_DW_FOUR_1_4 TH_DW_FOUR_1("r10", "r11", "5")
#define TH_DW_FOUR_1_6 TH_DW_FOUR_1_5 TH_DW_FOUR_1("r11", "r10", "6")
#define TH_DW_TWO_1(offset)                                                                                            \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    "ldr r10, [r0, #" offset "*th_dw]\n" TH_DW_MAC("r4", "r10", "r8") TH_DW_MAC("r5", "r10", "r9")
#define TH_DW_TWO_1_1 TH_DW_TWO_1("0")
#define TH_DW_TWO_1_2 TH_DW_TWO_1_1 TH_DW_TWO_1("1")
#define TH_DW_TWO_1_3 TH_DW_TWO_1_2 TH_DW_TWO_1("2")
#define TH_DW_TWO_1_4 TH_DW_TWO_1_3 TH_DW_TWO_1("3")
#define TH_DW_TWO_1_5 TH_DW_TWO_1_4 TH_DW_TWO_1("4")
#define TH_DW_TWO_1_6 TH_DW_TWO_1_5 TH_DW_TWO_1("5")

/* Stride 2: every output starts a word after the one before. */
#define TH_DW_FOUR_2(a, b, c, d)                                                                                       \
    "ldr r8, [r1], #4\n" TH_DW_MAC("r4", a, "r8") TH_DW_MAC("r5", b, "r8") TH_DW_MAC("r6", c, "r8")                    \
    TH_DW_MAC("r7", d, "r8")
#define TH_DW_FOUR_2_1                                                                                                 \
    "ldr r9, [r0]\nldr r10, [r0, #1*th_dw]\nldr r11, [r0, #2*th_dw]\nldr lr, [r0, #3*th_dw]\n"                                        \
    TH_DW_FOUR_2("r9", "r10", "r11", "lr")
#define TH_DW_FOUR_2_2 TH_DW_FOUR_2_1 "ldr r9, [r0, #4*th_dw]\n" TH_DW_FOUR_2("r10", "r11", "lr", "r9")
#define TH_DW_FOUR_2_3 TH_DW_FOUR_2_2 "ldr r10, [r0, #5*th_dw]\n" TH_DW_FOUR_2("r11", "lr", "r9", "r10")
#define TH_DW_FOUR_2_4 TH_DW_FOUR_2_3 "ldr r11, [r0, #6*th_dw]\n" TH_DW_FOUR_2("lr", "r9", "r10", "r11")
#define TH_DW_FOUR_2_5 TH_DW_FOUR_2_4 "ldr lr, [r0, #7*th_dw]\n" TH_DW_FOUR_2("r9", "r10", "r11", "lr")
#define TH_DW_FOUR_2_6 TH_DW_FOUR_2_5 "ldr r9, [r0, #8*th_dw]\n" TH_DW_FOUR_2("r10", "r11", "lr", "r9")
#define TH_DW_TWO_2(x, next, offset)                                                                                   \
    "ldr r8, [r1], #4\n"                                                                                               \
    "ldr " next ", [r0, #" offset "*th_dw]\n" TH_DW_MAC("r4", x, "r8") TH_DW_MAC("r5", next, "r8")
#define TH_DW_TWO_2_1 "ldr r10, [r0]\n" TH_DW_TWO_2("r10", "r11", "1")
#define TH_DW_TWO_2_2 TH_DW_TWO_2_1 TH_DW_TWO_2("r11", "r10", "2")
#define TH_DW_TWO_2_3 TH_DW_TWO_2_2 TH_DW_TWO_2("r10", "r11", "3")
#define TH_DW_TWO_2_4 TH_DW_TWO_2_3 TH_DW_TWO_2("r11", "r10", "4")
#define TH_DW_TWO_2_5 TH_DW_TWO_2_4 TH_DW_TWO_2("r10", "r11", "5")
#define TH_DW_TWO_2_6 TH_DW_TWO_2_5 TH_DW_TWO_2("r11", "r10", "6")

/* th_dw: bytes from two neighbours to the next. */
#define TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                      \
    TH_NAKED void th_depthwise_four_##stride##_##steps##_##lanes(TH_DW_ARGS)                                           \
    {                                                                                                                  \
        __asm__(".set th_dw, 4*" #lanes "\n" TH_DW_ENTER TH_DW_ZERO_FOUR TH_DW_ROWS TH_DW_FOUR_##stride##_##steps      \
                    TH_DW_ROWS_END TH_DW_FINISH_FOUR TH_DW_LEAVE("2*" #stride "*th_dw"));                              \
    }                                                                                                                  \
    TH_NAKED void th_depthwise_two_##stride##_##steps##_##lanes(TH_DW_ARGS)                                            \
    {                                                                                                                  \
        __asm__(".set th_dw, 4*" #lanes "\n" TH_DW_ENTER TH_DW_ZERO_TWO TH_DW_ROWS TH_DW_TWO_##stride##_##steps        \
                    TH_DW_ROWS_END TH_DW_FINISH_TWO TH_DW_LEAVE(#stride "*th_dw"));                                    \
    }

#else

/* The groups of one channel in C: `outputs` of each, `pair` words from two neighbours to the next. */
TH_INLINE void th_depthwise_groups(const int32_t *data, const int32_t *weights, int8_t *output,
                                   const th_depthwise_run *run, int32_t outputs, int32_t stride, int32_t steps,
                                   int32_t pair, int32_t row)
{
    for (int32_t group = 0; group < run->count; group++) {
        int8_t values[4];
        for (int32_t i = 0; i < outputs; i++) {
            int32_t sum = 0;
            const int32_t first = stride == 1 ? i >> 1 : i;
            for (int32_t ky = 0; ky < run->rows; ky++) {
                for (int32_t k = 0; k < steps; k++) {
                    const int32_t at = ky * steps + k;
                    const int32_t word = weights[stride == 1 ? 2 * at + (i & 1) : at];
                    sum = th_smlad((uint32_t)data[ky * row + (first + k) * pair], (uint32_t)word, sum);
                }
            }
            const int32_t twice = run->bias2 + 2 * sum;
            const int32_t scaled = run->add + (twice < 0 ? -1 : 0) + th_smmulr(twice, run->multiplier);
            values[i] = (int8_t)th_ssat8(scaled >> run->right);
        }
        for (int32_t i = 0; i < outputs; i += 2) {
            output[run->out_step] = values[i + 1];
            output[0] = values[i];
            output += 2 * run->out_step;
        }
        data += outputs / 2 * stride * pair;
    }
}

#define TH_DW_DEFINE_TWIN(name, outputs, stride, steps, pair, row)                                                     \
    TH_KERNEL void name(const int32_t *data, const int32_t *weights, int8_t *output, const th_depthwise_run *run)      \
    {                                                                                                                  \
        th_depthwise_groups(data, weights, output, run, outputs, stride, steps, pair, row);                            \
    }
#define TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                      \
    TH_DW_DEFINE_TWIN(th_depthwise_four_##stride##_##steps##_##lanes, 4, stride, steps, lanes, run->row_bytes / 4)     \
    TH_DW_DEFINE_TWIN(th_depthwise_two_##stride##_##steps##_##lanes, 2, stride, steps, lanes, run->row_bytes / 4)

#endif

#endif
