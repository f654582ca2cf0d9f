/*
 * Depthwise convolution, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, kernels of up to 16 rows, no dilation along the row;
 * |sum| < 2^30, right shifts from 1 to 22.
 *
 * Four channels of a block of the output row are made at a time. Each column of the input rows is widened once into scratch,
 * less its zero point, with zeros for padding: a word of two rows for each channel, pair of rows by pair. An output multiplies
 * its columns with weights in the same order: 6 instructions for the 8 products of a pair.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_COLUMNS_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_COLUMNS_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block; /* outputs of a row in a block */
} th_depthwise_conv2d_dsp_columns_params;

/* How the assembly finishes a channel. */
typedef struct {
    int32_t multiplier, add, right; /* add: half and zero point, shifted left by `right` */
} th_depthwise_columns_finish;

/*
 * The outputs of a block: they lie `step` bytes apart; `end` is where one after the last would lie. An output reads `back`
 * bytes less of columns than the next begins after. The finish of four channels follows the weights, which end at
 * `taps_end`; they begin with twice the biases, and have prepared_bytes with the finish.
 */
typedef struct {
    int8_t *output;
    int32_t step;
    const int8_t *end;
    int32_t back;
    const uint32_t *taps_end;
    int32_t prepared_bytes;
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
/* Stack: what `to` points at, then what was saved. */
#define TH_DWC_BODY(pairs)                                                                                             \
    "push {r4-r11, lr}\n"                                                                                              \
    "mov lr, r1\n"                                                                                                     \
    "ldm r2, {r4-r9}\n"                                                                                                \
    "push {r4-r9}\n"                                                                                                   \
    "1:\n"                                                                                                             \
    "ldm lr!, {r4-r7}\n"                                                                                               \
    "2:\n" pairs "ldr r1, [sp, #16]\n"                                                                                 \
    "cmp lr, r1\n"                                                                                                     \
    "bne 2b\n" TH_DWC_FINISH("r4") TH_DWC_FINISH("r5") TH_DWC_FINISH("r6") TH_DWC_FINISH("r7")                         \
    "ldm sp, {r1-r3, r12}\n"                                                                                           \
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
    "add sp, sp, #24\n"                                                                                                \
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
        __asm__(TH_DWC_BODY(TH_DWC_##pairs));                                                                          \
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
                                       const th_depthwise_columns_outputs *to)
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
            const th_depthwise_columns_finish *f = &finish[c];
            output[c] = (int8_t)th_ssat8((f->add + (sum < 0 ? -1 : 0) + th_smmulr(sum, f->multiplier)) >> f->right);
        }
        columns += words - to->back / 4;
    }
}

#define TH_DWC_DEFINE_COMPUTE(pairs)                                                                                   \
    TH_KERNEL void th_depthwise_columns_##pairs(const uint32_t *columns, const uint32_t *prepared,                     \
                                                const th_depthwise_columns_outputs *to)                                \
    {                                                                                                                  \
        th_depthwise_columns_of(columns, prepared, to);                                                                \
    }

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

TH_INLINE void th_depthwise_columns_prepare(const th_depthwise_conv2d_params *p, const void *const *rows,
                                            const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,
                                            const int8_t *rights, uint32_t *prepared)
{
    const int32_t pairs = (p->k_h + 1) >> 1;
    memcpy(prepared, biases2, 4 * sizeof(int32_t));
    uint32_t *const taps = prepared + 4;
    uint32_t *const end = th_depthwise_columns_weights(taps, weights, pairs * p->k_w);
    if (!rows[0] || !rows[p->k_h - 1]) {
        for (int32_t i = 0; i < pairs; i++) {
            /* The second row of an odd kernel's last pair has no weights. */
            const int32_t second = th_min(2 * i + 1, p->k_h - 1);
            const uint32_t mask = (rows[2 * i] ? 0xffffu : 0u) | (rows[second] ? 0xffff0000u : 0u);
            if (mask != 0xffffffffu) {
                for (uint32_t *at = taps + 4 * i; at < end; at += 4 * pairs) {
                    at[0] &= mask;
                    at[1] &= mask;
                    at[2] &= mask;
                    at[3] &= mask;
                }
            }
        }
    }
    th_depthwise_columns_finish *f = (th_depthwise_columns_finish *)(void *)end;
    for (int32_t c = 0; c < 4; c++, f++) {
        const int32_t right = rights[c];
        f->multiplier = multipliers[c];
        f->add = (int32_t)((uint32_t)(2 * p->out_zero + 1) << (right - 1));
        f->right = right;
    }
}

TH_KERNEL void th_depthwise_columns_row(const th_depthwise_conv2d_dsp_columns_params *params, const void *const *rows,
                                    const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,
                                    const int8_t *rights, void *scratch, int8_t *output,
                                    th_depthwise_columns_compute *compute)
{
    const th_depthwise_conv2d_params *p = &params->p;
    const int32_t pairs = (p->k_h + 1) >> 1;
    const int32_t tap_words = 4 * pairs * p->k_w;
    uint32_t *const prepared = (uint32_t *)scratch;
    uint32_t *const columns = prepared + 4 + tap_words + 12;
    th_depthwise_rows from;
    from.step = p->in_step;
    from.offset = (uint32_t)(-p->in_zero & 0xffff) * UINT32_C(0x10001);
    from.to_step = 16 * pairs;
    th_depthwise_columns_outputs to;
    to.step = p->out_step;
    to.back = 4 * tap_words - p->stride_w * from.to_step;
    to.taps_end = prepared + 4 + tap_words;
    to.prepared_bytes = (16 + tap_words) * 4;
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int32_t width = (outputs - 1) * p->stride_w + p->k_w;
        const int32_t first = th_max(-x0, 0);
        const int32_t end = th_min(width, p->in_w - x0);
        /* Columns outside are zeros; pairs of rows outside are whatever, as their weights are zeros. */
        if (first > 0 || end < width) {
            memset(columns, 0, (size_t)width * 16 * (size_t)pairs);
        }
        from.end_x = (end - first) * p->in_step;
        const int8_t *own = weights;
        for (int32_t done = 0; done < p->in_c; done += 4, own += 2 * tap_words) {
            const int32_t c = th_min(done, p->in_c - 4);
            const int32_t offset = (x0 + first) * p->in_step + c;
            for (int32_t i = 0; i < pairs && end > first; i++) {
                const int8_t *row = (const int8_t *)rows[2 * i];
                const int8_t *next = (const int8_t *)rows[th_min(2 * i + 1, p->k_h - 1)];
                if (row || next) {
                    from.first = (row ? row : next) + offset;
                    from.second = (next ? next : row) + offset;
                    th_depthwise_columns_widen(&from, columns + (first * pairs + i) * 4);
                }
            }
            if (ox == 0 || p->in_c > 4) {
                th_depthwise_columns_prepare(p, rows, own, biases2 + c, multipliers + c, rights + c, prepared);
            }
            to.output = output + c;
            to.end = to.output + outputs * p->out_step;
            compute(columns, prepared, &to);
        }
        if (p->min > INT8_MIN || p->max < INT8_MAX) {
            for (int32_t i = 0; i < outputs; i++) {
                for (int32_t c = 0; c < p->in_c; c++) {
                    int8_t *value = output + i * p->out_step + c;
                    *value = (int8_t)th_clamp(*value, p->min, p->max);
                }
            }
        }
        output += outputs * p->out_step;
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input; weights in groups of four
 * channels, the last of the last four: for each column of the kernel and two of its rows (zeros after an odd last) channels
 * 0 and 1 of both, then channels 2 and 3; twice the biases, multipliers and right shifts [out_c], output [out_w][out_c]. The
 * name ends in the pairs of rows.
 */
#define TH_DWC_DEFINE(pairs)                                                                                           \
    TH_DWC_DEFINE_COMPUTE(pairs)                                                                                       \
    TH_KERNEL void th_depthwise_conv2d_s8_dsp_columns_##pairs(                                                         \
        const th_depthwise_conv2d_dsp_columns_params *params, const void *const *rows, const int8_t *weights,          \
        const int32_t *biases2, const int32_t *multipliers, const int8_t *rights, void *scratch, int8_t *output)       \
    {                                                                                                                  \
        th_depthwise_columns_row(params, rows, weights, biases2, multipliers, rights, scratch, output,                     \
                             th_depthwise_columns_##pairs);                                                            \
    }

TH_DWC_DEFINE(1)
TH_DWC_DEFINE(2)
TH_DWC_DEFINE(3)
TH_DWC_DEFINE(4)
TH_DWC_DEFINE(5)
TH_DWC_DEFINE(6)
TH_DWC_DEFINE(7)
TH_DWC_DEFINE(8)

#endif
