/*
 * The inner loops of the depthwise convolution with a 3x3 kernel: columns widened, weights prepared, sums and their
 * requantization, for four channels at a time. In assembly, and the same in C. See depthwise_conv2d_s8_dsp_3x3.h.
 */
#ifndef TH_DEPTHWISE_3X3_H
#define TH_DEPTHWISE_3X3_H

#include "th_dsp.h"

/* The shift of the linear finish of depthwise convolutions. */
#define TH_DW_LINEAR_BITS 8

/* How the assembly finishes a channel. */
typedef struct {
    int32_t multiplier, add, right; /* add: half and zero point, shifted left by `right` */
} th_depthwise_finish;

/*
 * What the outputs of four channels need, in the order that it is read. Weights are in the order of a column. Rounding
 * twice takes twice the biases and the weights; the linear finish (see linear-finish.ts) takes 256 times the weights, and
 * for each channel a multiplier alone.
 */
typedef struct {
    int32_t biases[4];
    uint32_t taps[3][6];
    union {
        th_depthwise_finish rounded[4];
        int32_t multipliers[4];
    } finish;
} th_depthwise_four;

/* The outputs of a block: they lie `step` bytes apart; `end` is where one after the last would lie. */
typedef struct {
    int8_t *output;
    int32_t step;
    const int8_t *end;
    int32_t add; /* of the linear finish */
} th_depthwise_outputs;

/* Rows of the window at the first column, and how far apart columns are, in bytes; the last is at last_x. */
typedef struct {
    const int8_t *rows[3];
    int32_t step, end_x;
    uint32_t offset; /* minus the zero point in both halves */
} th_depthwise_source;

/*
 * What preparing needs besides: right shifts and twice the output's zero point, and one, where it rounds twice; and for the
 * linear finish of int8 weights masks of the first two rows' weights and of the third's, 0xff in their high bytes.
 */
typedef struct {
    const int8_t *rights;
    int32_t zero2;
    uint32_t mask, third_mask;
} th_depthwise_more;

#if TH_DSP_ASM

#define TH_DW3_COLUMN                                                                                                  \
    "ldm r0!, {r1, r2, r3, r12}\n"                                                                                     \
    "ldm lr!, {r8-r11}\n"                                                                                              \
    "smlad r4, r1, r8, r4\n"                                                                                           \
    "smlad r5, r2, r9, r5\n"                                                                                           \
    "smlad r6, r3, r10, r6\n"                                                                                          \
    "smlad r7, r12, r11, r7\n"                                                                                         \
    "ldm r0!, {r1, r2}\n"                                                                                              \
    "ldm lr!, {r8, r9}\n"                                                                                              \
    "smlabb r4, r1, r8, r4\n"                                                                                          \
    "smlabb r5, r2, r9, r5\n"                                                                                          \
    "smlatt r6, r1, r8, r6\n"                                                                                          \
    "smlatt r7, r2, r9, r7\n"
/* The sum is doubled, so that the high word of its product is the doubling multiply; it has the product's sign. */
#define TH_DW3_ROUND(sum)                                                                                              \
    "ldm lr!, {r8-r10}\n"                                                                                              \
    "add r11, r9, " sum ", asr #31\n"                                                                                  \
    "smmlar " sum ", " sum ", r8, r11\n"                                                                               \
    "asr " sum ", " sum ", r10\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
#define TH_DW3_ROUNDED                                                                                                 \
    TH_DW3_ROUND("r4") TH_DW3_ROUND("r5") TH_DW3_ROUND("r6") TH_DW3_ROUND("r7") "ldm sp, {r1-r3}\n"
/* 8: TH_DW_LINEAR_BITS */
#define TH_DW3_LINEAR                                                                                                  \
    "ldm lr!, {r8-r11}\n"                                                                                              \
    "ldm sp, {r1-r3, r12}\n"                                                                                           \
    "smmlar r4, r4, r8, r12\n"                                                                                         \
    "smmlar r5, r5, r9, r12\n"                                                                                         \
    "smmlar r6, r6, r10, r12\n"                                                                                        \
    "smmlar r7, r7, r11, r12\n"                                                                                        \
    "ssat r4, #8, r4, asr #8\n"                                                                                        \
    "ssat r5, #8, r5, asr #8\n"                                                                                        \
    "ssat r6, #8, r6, asr #8\n"                                                                                        \
    "ssat r7, #8, r7, asr #8\n"
/* `back`: 72 less the bytes of the columns from an output to the next; `size`: bytes of what is prepared. */
#define TH_DW3_BODY(back, finish, size)                                                                                \
    "push {r4-r11, lr}\n"                                                                                              \
    "mov lr, r1\n"                                                                                                     \
    "ldm r2, {r4-r7}\n"                                                                                                \
    "push {r4-r7}\n"                                                                                                   \
    "1:\n"                                                                                                             \
    "ldm lr!, {r4-r7}\n" TH_DW3_COLUMN TH_DW3_COLUMN TH_DW3_COLUMN finish "sub r0, r0, #" back "\n"                    \
    "sub lr, lr, #" size "\n"                                                                                          \
    "strb r5, [r1, #1]\n"                                                                                              \
    "strb r6, [r1, #2]\n"                                                                                              \
    "strb r7, [r1, #3]\n"                                                                                              \
    "strb r4, [r1]\n"                                                                                                  \
    "add r1, r1, r2\n"                                                                                                 \
    "cmp r1, r3\n"                                                                                                     \
    "str r1, [sp]\n"                                                                                                   \
    "bne 1b\n"                                                                                                         \
    "add sp, sp, #16\n"                                                                                                \
    "pop {r4-r11, pc}\n"

#define TH_DW3_WIDEN                                                                                                   \
    "ldr r5, [r1], #4\n"                                                                                               \
    "ldr r7, [r1], #4\n"                                                                                               \
    "ldr r9, [r1], #4\n"                                                                                               \
    "sxtb16 r4, r5\n"                                                                                                  \
    "sxtb16 r5, r5, ror #8\n"                                                                                          \
    "sxtb16 r6, r7\n"                                                                                                  \
    "sxtb16 r7, r7, ror #8\n"                                                                                          \
    "sxtb16 r8, r9\n"                                                                                                  \
    "sxtb16 r9, r9, ror #8\n"                                                                                          \
    "sadd16 r4, r4, r4\n"                                                                                              \
    "sadd16 r5, r5, r5\n"                                                                                              \
    "sadd16 r6, r6, r6\n"                                                                                              \
    "sadd16 r7, r7, r7\n"                                                                                              \
    "sadd16 r8, r8, r8\n"                                                                                              \
    "sadd16 r9, r9, r9\n"                                                                                              \
    "stm r0!, {r4-r9}\n"
#define TH_DW3_PREPARE(multiplier, add, right)                                                                         \
    "ldrsb " right ", [r1], #1\n"                                                                                      \
    "sub r3, " right ", #1\n"                                                                                          \
    "lsl " add ", r2, r3\n"

/*
 * Prepares four channels. weights: for each column a word of channels 0 and 1 of the first and of the second row, one of
 * channels 2 and 3, one of all four of the third row.
 */
TH_NAKED void th_depthwise_prepare(th_depthwise_four *four TH_ASM_ARG, const int8_t *weights TH_ASM_ARG,
                                   const int32_t *biases2 TH_ASM_ARG, const int32_t *multipliers TH_ASM_ARG,
                                   const th_depthwise_more *more TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldm r2, {r4-r7}\n"
            "stm r0!, {r4-r7}\n" TH_DW3_WIDEN TH_DW3_WIDEN TH_DW3_WIDEN "ldr r1, [sp, #36]\n"
            "ldrd r1, r2, [r1]\n"
            "ldm r3, {r4, r7, r10, lr}\n" TH_DW3_PREPARE("r4", "r5", "r6") TH_DW3_PREPARE("r7", "r8", "r9")
                TH_DW3_PREPARE("r10", "r11", "r12") "stm r0!, {r4-r12}\n"
            "mov r4, lr\n" TH_DW3_PREPARE("r4", "r5", "r6") "stm r0, {r4-r6}\n"
            "pop {r4-r11, pc}\n");
}

#define TH_DW3_SCALE                                                                                                   \
    "ldr r5, [r1], #4\n"                                                                                               \
    "ldr r7, [r1], #4\n"                                                                                               \
    "ldr r9, [r1], #4\n"                                                                                               \
    "and r4, r10, r5, lsl #8\n"                                                                                        \
    "and r5, r10, r5\n"                                                                                                \
    "and r6, r10, r7, lsl #8\n"                                                                                        \
    "and r7, r10, r7\n"                                                                                                \
    "and r8, r12, r9, lsl #8\n"                                                                                        \
    "and r9, r12, r9\n"                                                                                                \
    "stm r0!, {r4-r9}\n"

/* The same for the linear finish, whose biases and multipliers are taken as they are. */
TH_NAKED void th_depthwise_prepare_linear(th_depthwise_four *four TH_ASM_ARG, const int8_t *weights TH_ASM_ARG,
                                          const int32_t *biases TH_ASM_ARG, const int32_t *multipliers TH_ASM_ARG,
                                          const th_depthwise_more *more TH_ASM_ARG)
{
    __asm__("push {r4-r10}\n"
            "ldr r12, [sp, #28]\n"
            "ldm r2, {r4-r7}\n"
            "ldrd r10, r12, [r12, #8]\n"
            "stm r0!, {r4-r7}\n" TH_DW3_SCALE TH_DW3_SCALE TH_DW3_SCALE "ldm r3, {r4-r7}\n"
            "stm r0!, {r4-r7}\n"
            "pop {r4-r10}\n"
            "bx lr\n");
}

TH_NAKED void th_depthwise_3x3_1_linear(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                        const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("48", TH_DW3_LINEAR, "104"));
}

TH_NAKED void th_depthwise_3x3_2_linear(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                        const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("24", TH_DW3_LINEAR, "104"));
}

TH_NAKED void th_depthwise_3x3_1(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                 const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("48", TH_DW3_ROUNDED, "136"));
}

TH_NAKED void th_depthwise_3x3_2(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                 const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("24", TH_DW3_ROUNDED, "136"));
}

/* Widens columns. */
TH_NAKED void th_depthwise_3x3_columns(const th_depthwise_source *from TH_ASM_ARG, uint32_t *to TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "mov r12, r1\n"
            "ldm r0, {r0-r3, r10, lr}\n"
            "mov r11, #0\n"
            "1:\n"
            "ldr r5, [r1, r11]\n"
            "ldr r4, [r0, r11]\n"
            "ldr r8, [r2, r11]\n"
            "add r11, r11, r3\n"
            "pkhtb r6, r5, r4, asr #16\n"
            "pkhbt r5, r4, r5, lsl #16\n"
            "sxtab16 r9, lr, r8, ror #8\n"
            "sxtab16 r8, lr, r8\n"
            "sxtab16 r7, lr, r6, ror #8\n"
            "sxtab16 r6, lr, r6\n"
            "sxtab16 r4, lr, r5\n"
            "sxtab16 r5, lr, r5, ror #8\n"
            "cmp r11, r10\n"
            "stm r12!, {r4-r9}\n"
            "bne 1b\n"
            "pop {r4-r11, pc}\n");
}

#else

/* Both halves doubled; neither is more than 2^14. */
TH_INLINE uint32_t th_depthwise_twice(uint32_t halves)
{
    return (halves << 1 & 0xfffe0000u) | (halves << 1 & 0xffffu);
}

TH_KERNEL void th_depthwise_prepare(th_depthwise_four *four, const int8_t *weights, const int32_t *biases2,
                                    const int32_t *multipliers, const th_depthwise_more *more)
{
    const int8_t *rights = more->rights;
    for (int32_t c = 0; c < 4; c++) {
        four->biases[c] = biases2[c];
        four->finish.rounded[c].multiplier = multipliers[c];
        four->finish.rounded[c].add = (int32_t)((uint32_t)more->zero2 << (rights[c] - 1));
        four->finish.rounded[c].right = rights[c];
    }
    for (int32_t kx = 0; kx < 3; kx++) {
        for (int32_t i = 0; i < 3; i++, weights += 4) {
            const uint32_t word = th_load32(weights);
            four->taps[kx][2 * i] = th_depthwise_twice(th_sxtb16(word));
            four->taps[kx][2 * i + 1] = th_depthwise_twice(th_sxtb16_ror8(word));
        }
    }
}

TH_KERNEL void th_depthwise_prepare_linear(th_depthwise_four *four, const int8_t *weights, const int32_t *biases,
                                           const int32_t *multipliers, const th_depthwise_more *more)
{
    memcpy(four->biases, biases, sizeof four->biases);
    memcpy(four->finish.multipliers, multipliers, sizeof four->finish.multipliers);
    for (int32_t i = 0; i < 9; i++, weights += 4) {
        const uint32_t word = th_load32(weights);
        const uint32_t mask = i % 3 < 2 ? more->mask : more->third_mask;
        four->taps[i / 3][i % 3 * 2] = word << 8 & mask;
        four->taps[i / 3][i % 3 * 2 + 1] = word & mask;
    }
}

TH_INLINE void th_depthwise_3x3_of(const uint32_t *columns, const th_depthwise_four *four,
                                   const th_depthwise_outputs *to, int32_t stride, int32_t is_linear)
{
    for (int8_t *output = to->output; output != to->end; output += to->step, columns += 6 * stride) {
        for (int32_t c = 0; c < 4; c++) {
            int32_t sum = four->biases[c];
            for (int32_t kx = 0; kx < 3; kx++) {
                const uint32_t *x = columns + 6 * kx;
                const uint32_t *w = four->taps[kx];
                const int32_t third = 4 + (c & 1);
                sum = th_smlad(x[c], w[c], sum);
                sum = c < 2 ? th_smlabb(x[third], w[third], sum) : th_smlatt(x[third], w[third], sum);
            }
            if (is_linear) {
                output[c] = (int8_t)th_ssat8(th_smmlar(sum, four->finish.multipliers[c], to->add) >> TH_DW_LINEAR_BITS);
                continue;
            }
            const th_depthwise_finish *f = &four->finish.rounded[c];
            output[c] = (int8_t)th_ssat8((f->add + (sum < 0 ? -1 : 0) + th_smmulr(sum, f->multiplier)) >> f->right);
        }
    }
}

TH_KERNEL void th_depthwise_3x3_1_linear(const uint32_t *columns, const th_depthwise_four *four,
                                         const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 1, 1);
}

TH_KERNEL void th_depthwise_3x3_2_linear(const uint32_t *columns, const th_depthwise_four *four,
                                         const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 2, 1);
}

TH_KERNEL void th_depthwise_3x3_1(const uint32_t *columns, const th_depthwise_four *four,
                                  const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 1, 0);
}

TH_KERNEL void th_depthwise_3x3_2(const uint32_t *columns, const th_depthwise_four *four,
                                  const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 2, 0);
}

TH_KERNEL void th_depthwise_3x3_columns(const th_depthwise_source *from, uint32_t *to)
{
    const int32_t add = (int32_t)(from->offset & 0xffffu);
    for (int32_t x = 0; x != from->end_x; x += from->step, to += 6) {
        const int8_t *a = from->rows[0] + x;
        const int8_t *b = from->rows[1] + x;
        const int8_t *c = from->rows[2] + x;
        for (int32_t i = 0; i < 4; i++) {
            to[i] = th_pkhbt((uint32_t)(a[i] + add), (uint32_t)(b[i] + add));
        }
        to[4] = th_pkhbt((uint32_t)(c[0] + add), (uint32_t)(c[2] + add));
        to[5] = th_pkhbt((uint32_t)(c[1] + add), (uint32_t)(c[3] + add));
    }
}

#endif

#endif
