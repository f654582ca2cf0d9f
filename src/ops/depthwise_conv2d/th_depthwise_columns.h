/*
 * The inner loops of the depthwise convolution by columns: two rows widened, weights prepared, sums and their requantization,
 * for four channels at a time. In assembly, and the same in C. See depthwise_conv2d_s8_dsp_columns.h.
 */
#ifndef TH_DEPTHWISE_COLUMNS_H
#define TH_DEPTHWISE_COLUMNS_H

#include "th_dsp.h"

/* The shift of the linear finish of depthwise convolutions. */
#define TH_DWC_LINEAR_BITS 8

/* How the assembly finishes a channel. */
typedef struct {
    int32_t multiplier, add, right; /* add: half and zero point, shifted left by `right` */
} th_depthwise_columns_finish;

/*
 * The outputs of a block: they lie `step` bytes apart; `end` is where one after the last would lie. An output reads `back`
 * bytes less of columns than the next begins after. The finish of four channels follows the weights, which end at
 * `taps_end`; they begin with the biases, and have prepared_bytes with the finish. Rounding twice takes twice the biases and
 * the weights; the linear finish (see linear-finish.ts) takes 256 times the weights, and for each channel a multiplier alone.
 */
typedef struct {
    int8_t *output;
    int32_t step;
    const int8_t *end;
    int32_t back;
    const uint32_t *taps_end;
    int32_t prepared_bytes;
    int32_t add; /* of the linear finish */
} th_depthwise_columns_outputs;

/* Two rows at the first column, and how far apart columns are: in the input, in scratch; in bytes. */
typedef struct {
    const int8_t *first, *second;
    int32_t step, end_x;
    uint32_t offset; /* minus the zero point in both halves */
    int32_t to_step;
} th_depthwise_rows;

typedef void th_depthwise_columns_compute(const uint32_t *columns, const uint32_t *prepared,
                                          const th_depthwise_columns_outputs *to);

#if TH_DSP_ASM

#define TH_DWC_PAIR                                                                                                    \
    "ldm r0!, {r1, r2, r3, r12}\n"                                                                                     \
    "ldm lr!, {r8-r11}\n"                                                                                              \
    "smlad r4, r1, r8, r4\n"                                                                                           \
    "smlad r5, r2, r9, r5\n"                                                                                           \
    "smlad r6, r3, r10, r6\n"                                                                                          \
    "smlad r7, r12, r11, r7\n"
/* The sum is doubled, so that the high word of its product is the doubling multiply; it has the product's sign. */
#define TH_DWC_FINISH(sum)                                                                                             \
    "ldm lr!, {r8-r10}\n"                                                                                              \
    "add r11, r9, " sum ", asr #31\n"                                                                                  \
    "smmlar " sum ", " sum ", r8, r11\n"                                                                               \
    "asr " sum ", " sum ", r10\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
#define TH_DWC_ROUNDED                                                                                                 \
    TH_DWC_FINISH("r4") TH_DWC_FINISH("r5") TH_DWC_FINISH("r6") TH_DWC_FINISH("r7") "ldm sp, {r1-r3, r12}\n"
/* 8: TH_DWC_LINEAR_BITS */
#define TH_DWC_LINEAR                                                                                                  \
    "ldm lr!, {r8-r11}\n"                                                                                              \
    "ldr r1, [sp, #24]\n"                                                                                              \
    "smmlar r4, r4, r8, r1\n"                                                                                          \
    "smmlar r5, r5, r9, r1\n"                                                                                          \
    "smmlar r6, r6, r10, r1\n"                                                                                         \
    "smmlar r7, r7, r11, r1\n"                                                                                         \
    "ldm sp, {r1-r3, r12}\n"                                                                                           \
    "ssat r4, #8, r4, asr #8\n"                                                                                        \
    "ssat r5, #8, r5, asr #8\n"                                                                                        \
    "ssat r6, #8, r6, asr #8\n"                                                                                        \
    "ssat r7, #8, r7, asr #8\n"
/* Stack: what `to` points at, then what was saved. */
#define TH_DWC_BODY(pairs, finish)                                                                                            \
    "push {r4-r11, lr}\n"                                                                                              \
    "mov lr, r1\n"                                                                                                     \
    "ldm r2, {r4-r10}\n"                                                                                               \
    "push {r4-r10}\n"                                                                                                  \
    "1:\n"                                                                                                             \
    "ldm lr!, {r4-r7}\n"                                                                                               \
    "2:\n" pairs "ldr r1, [sp, #16]\n"                                                                                 \
    "cmp lr, r1\n"                                                                                                     \
    "bne 2b\n" finish                                                                                                  \
    "ldr r8, [sp, #20]\n"                                                                                              \
    "strb r5, [r1, #1]\n"                                                                                              \
    "strb r6, [r1, #2]\n"                                                                                              \
    "strb r7, [r1, #3]\n"                                                                                              \
    "strb r4, [r1]\n"                                                                                                  \
    "sub r0, r0, r12\n"                                                                                                \
    "sub lr, lr, r8\n"                                                                                                 \
    "add r1, r1, r2\n"                                                                                                 \
    "cmp r1, r3\n"                                                                                                     \
    "str r1, [sp]\n"                                                                                                   \
    "bne 1b\n"                                                                                                         \
    "add sp, sp, #28\n"                                                                                                \
    "pop {r4-r11, pc}\n"
#define TH_DWC_1 TH_DWC_PAIR
#define TH_DWC_2 TH_DWC_1 TH_DWC_PAIR
#define TH_DWC_3 TH_DWC_2 TH_DWC_PAIR
#define TH_DWC_4 TH_DWC_3 TH_DWC_PAIR
#define TH_DWC_5 TH_DWC_4 TH_DWC_PAIR
#define TH_DWC_6 TH_DWC_5 TH_DWC_PAIR
#define TH_DWC_7 TH_DWC_6 TH_DWC_PAIR
#define TH_DWC_8 TH_DWC_7 TH_DWC_PAIR
#define TH_DWC_DEFINE_COMPUTE(pairs)                                                                                   \
    TH_NAKED void th_depthwise_columns_##pairs(const uint32_t *columns TH_ASM_ARG, const uint32_t *prepared TH_ASM_ARG,\
                                               const th_depthwise_columns_outputs *to TH_ASM_ARG)                      \
    {                                                                                                                  \
        __asm__(TH_DWC_BODY(TH_DWC_##pairs, TH_DWC_ROUNDED));                                                          \
    }                                                                                                                  \
    TH_NAKED void th_depthwise_columns_##pairs##_linear(const uint32_t *columns TH_ASM_ARG,                            \
                                                        const uint32_t *prepared TH_ASM_ARG,                           \
                                                        const th_depthwise_columns_outputs *to TH_ASM_ARG)             \
    {                                                                                                                  \
        __asm__(TH_DWC_BODY(TH_DWC_##pairs, TH_DWC_LINEAR));                                                           \
    }

/* Widens two rows; at least one column. */
TH_NAKED void th_depthwise_columns_widen(const th_depthwise_rows *from TH_ASM_ARG, uint32_t *to TH_ASM_ARG)
{
    __asm__("push {r4-r10, lr}\n"
            "mov r12, r1\n"
            "ldm r0, {r0, r1, r2, r3, r9, r10}\n"
            "mov r8, #0\n"
            "1:\n"
            "ldr r5, [r1, r8]\n"
            "ldr r4, [r0, r8]\n"
            "add r8, r8, r2\n"
            "pkhtb r7, r5, r4, asr #16\n"
            "pkhbt r5, r4, r5, lsl #16\n"
            "sxtab16 r6, r9, r7\n"
            "sxtab16 r7, r9, r7, ror #8\n"
            "sxtab16 r4, r9, r5\n"
            "sxtab16 r5, r9, r5, ror #8\n"
            "cmp r8, r3\n"
            "stm r12, {r4-r7}\n"
            "add r12, r12, r10\n"
            "bne 1b\n"
            "pop {r4-r10, pc}\n");
}

#define TH_DWC_WIDEN                                                                                                   \
    "ldr r5, [r1], #4\n"                                                                                               \
    "ldr r7, [r1], #4\n"                                                                                               \
    "sxtb16 r4, r5\n"                                                                                                  \
    "sxtb16 r5, r5, ror #8\n"                                                                                          \
    "sxtb16 r6, r7\n"                                                                                                  \
    "sxtb16 r7, r7, ror #8\n"                                                                                          \
    "sadd16 r4, r4, r4\n"                                                                                              \
    "sadd16 r5, r5, r5\n"                                                                                              \
    "sadd16 r6, r6, r6\n"                                                                                              \
    "sadd16 r7, r7, r7\n"                                                                                              \
    "stm r0!, {r4-r7}\n"

/* Twice the weights, widened: `count` times two words of four; returns where the next word would go. */
TH_NAKED uint32_t *th_depthwise_columns_weights(uint32_t *to TH_ASM_ARG, const int8_t *weights TH_ASM_ARG,
                                                int32_t count TH_ASM_ARG)
{
    __asm__("push {r4-r7}\n"
            "tst r2, #1\n"
            "beq 1f\n" TH_DWC_WIDEN "1:\n"
            "lsrs r2, r2, #1\n"
            "beq 3f\n"
            "2:\n" TH_DWC_WIDEN TH_DWC_WIDEN "subs r2, r2, #1\n"
            "bne 2b\n"
            "3:\n"
            "pop {r4-r7}\n"
            "bx lr\n");
}

#else

TH_INLINE void th_depthwise_columns_of(const uint32_t *columns, const uint32_t *prepared,
                                       const th_depthwise_columns_outputs *to, int32_t is_linear)
{
    const uint32_t *const taps = prepared + 4;
    const th_depthwise_columns_finish *finish = (const th_depthwise_columns_finish *)(const void *)to->taps_end;
    const int32_t words = (int32_t)(to->taps_end - taps);
    for (int8_t *output = to->output; output != to->end; output += to->step) {
        for (int32_t c = 0; c < 4; c++) {
            int32_t sum = (int32_t)prepared[c];
            for (int32_t i = c; i < words; i += 4) {
                sum = th_smlad(columns[i], taps[i], sum);
            }
            if (is_linear) {
                const int32_t multiplier = (int32_t)to->taps_end[c];
                output[c] = (int8_t)th_ssat8(th_smmlar(sum, multiplier, to->add) >> TH_DWC_LINEAR_BITS);
                continue;
            }
            const th_depthwise_columns_finish *f = &finish[c];
            output[c] = (int8_t)th_ssat8((f->add + (sum < 0 ? -1 : 0) + th_smmulr(sum, f->multiplier)) >> f->right);
        }
        columns += words - to->back / 4;
    }
}

#define TH_DWC_DEFINE_TWIN(name, is_linear)                                                                            \
    TH_KERNEL void name(const uint32_t *columns, const uint32_t *prepared, const th_depthwise_columns_outputs *to)     \
    {                                                                                                                  \
        th_depthwise_columns_of(columns, prepared, to, is_linear);                                                     \
    }
#define TH_DWC_DEFINE_COMPUTE(pairs)                                                                                   \
    TH_DWC_DEFINE_TWIN(th_depthwise_columns_##pairs, 0)                                                                \
    TH_DWC_DEFINE_TWIN(th_depthwise_columns_##pairs##_linear, 1)

TH_KERNEL void th_depthwise_columns_widen(const th_depthwise_rows *from, uint32_t *to)
{
    const int32_t add = (int32_t)(from->offset & 0xffffu);
    for (int32_t x = 0; x != from->end_x; x += from->step, to += from->to_step / 4) {
        for (int32_t i = 0; i < 4; i++) {
            to[i] = th_pkhbt((uint32_t)(from->first[x + i] + add), (uint32_t)(from->second[x + i] + add));
        }
    }
}

TH_KERNEL uint32_t *th_depthwise_columns_weights(uint32_t *to, const int8_t *weights, int32_t count)
{
    for (; count > 0; count--, weights += 8, to += 4) {
        for (int32_t i = 0; i < 4; i++) {
            const int8_t *w = weights + 4 * (i >> 1) + (i & 1);
            to[i] = th_pkhbt((uint32_t)(2 * w[0]), (uint32_t)(2 * w[2]));
        }
    }
    return to;
}

#endif

/* 256 times the weights, otherwise as th_depthwise_columns_weights. */
TH_KERNEL uint32_t *th_depthwise_columns_weights_linear(uint32_t *to, const int8_t *weights, int32_t count)
{
    const uint32_t mask = UINT32_C(0xff00ff00);
    for (; count > 0; count--, weights += 8, to += 4) {
        const uint32_t first = th_load32(weights);
        const uint32_t second = th_load32(weights + 4);
        to[0] = first << 8 & mask;
        to[1] = first & mask;
        to[2] = second << 8 & mask;
        to[3] = second & mask;
    }
    return to;
}

TH_DWC_DEFINE_COMPUTE(1)
TH_DWC_DEFINE_COMPUTE(2)
TH_DWC_DEFINE_COMPUTE(3)
TH_DWC_DEFINE_COMPUTE(4)
TH_DWC_DEFINE_COMPUTE(5)
TH_DWC_DEFINE_COMPUTE(6)
TH_DWC_DEFINE_COMPUTE(7)
TH_DWC_DEFINE_COMPUTE(8)

#endif
