/*
 * Depthwise convolution with a 3x3 kernel, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, stride 1 or 2 along the row; |sum| < 2^30, right shifts
 * from 1 to 22.
 *
 * Four channels of a block of the output row are made at a time. Each column of the three input rows is widened once into
 * scratch, less its zero point, with zeros for padding: for each channel a word of the first and the second row, then two
 * words of the third row, of channels 0 and 2, and 1 and 3. An output multiplies three columns with weights in the same
 * order: 24 instructions of 36 for 36 products.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_3X3_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_3X3_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block; /* outputs of a row in a block */
} th_depthwise_conv2d_dsp_3x3_params;

/* How the assembly finishes a channel. */
typedef struct {
    int32_t multiplier, add, right; /* add: half and zero point, shifted left by `right` */
} th_depthwise_finish;

/* What the outputs of four channels need, in the order that it is read. */
typedef struct {
    int32_t biases2[4];  /* twice the biases */
    uint32_t taps[3][6]; /* twice the weights, in the order of a column */
    th_depthwise_finish finish[4];
} th_depthwise_four;

/* The outputs of a block: they lie `step` bytes apart; `end` is where one after the last would lie. */
typedef struct {
    int8_t *output;
    int32_t step;
    const int8_t *end;
} th_depthwise_outputs;

/* Rows of the window at the first column, and how far apart columns are, in bytes; the last is at last_x. */
typedef struct {
    const int8_t *rows[3];
    int32_t step, end_x;
    uint32_t offset; /* minus the zero point in both halves */
} th_depthwise_source;

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
#define TH_DW3_FINISH(sum)                                                                                             \
    "ldm lr!, {r8-r10}\n"                                                                                              \
    "add r11, r9, " sum ", asr #31\n"                                                                                  \
    "smmlar " sum ", " sum ", r8, r11\n"                                                                               \
    "asr " sum ", " sum ", r10\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
/* `back`: 72 less the bytes of the columns from an output to the next. */
#define TH_DW3_BODY(back)                                                                                              \
    "push {r4-r11, lr}\n"                                                                                              \
    "mov lr, r1\n"                                                                                                     \
    "ldm r2, {r4-r6}\n"                                                                                                \
    "push {r4-r6}\n"                                                                                                   \
    "1:\n"                                                                                                             \
    "ldm lr!, {r4-r7}\n" TH_DW3_COLUMN TH_DW3_COLUMN TH_DW3_COLUMN TH_DW3_FINISH("r4") TH_DW3_FINISH("r5")             \
        TH_DW3_FINISH("r6") TH_DW3_FINISH("r7") "sub r0, r0, #" back "\n"                                              \
    "sub lr, lr, #136\n"                                                                                               \
    "ldm sp, {r1-r3}\n"                                                                                                \
    "strb r5, [r1, #1]\n"                                                                                              \
    "strb r6, [r1, #2]\n"                                                                                              \
    "strb r7, [r1, #3]\n"                                                                                              \
    "strb r4, [r1]\n"                                                                                                  \
    "add r1, r1, r2\n"                                                                                                 \
    "cmp r1, r3\n"                                                                                                     \
    "str r1, [sp]\n"                                                                                                   \
    "bne 1b\n"                                                                                                         \
    "add sp, sp, #12\n"                                                                                                \
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
 * channels 2 and 3, one of all four of the third row. zero2: twice the output's zero point, and one.
 */
TH_NAKED void th_depthwise_prepare(th_depthwise_four *four TH_ASM_ARG, const int8_t *weights TH_ASM_ARG,
                                   const int32_t *biases2 TH_ASM_ARG, const int32_t *multipliers TH_ASM_ARG,
                                   const int8_t *rights TH_ASM_ARG, int32_t zero2 TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldm r2, {r4-r7}\n"
            "stm r0!, {r4-r7}\n" TH_DW3_WIDEN TH_DW3_WIDEN TH_DW3_WIDEN "ldrd r1, r2, [sp, #36]\n"
            "ldm r3, {r4, r7, r10, lr}\n" TH_DW3_PREPARE("r4", "r5", "r6") TH_DW3_PREPARE("r7", "r8", "r9")
                TH_DW3_PREPARE("r10", "r11", "r12") "stm r0!, {r4-r12}\n"
            "mov r4, lr\n" TH_DW3_PREPARE("r4", "r5", "r6") "stm r0, {r4-r6}\n"
            "pop {r4-r11, pc}\n");
}

TH_NAKED void th_depthwise_3x3_1(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                 const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("48"));
}

TH_NAKED void th_depthwise_3x3_2(const uint32_t *columns TH_ASM_ARG, const th_depthwise_four *four TH_ASM_ARG,
                                 const th_depthwise_outputs *to TH_ASM_ARG)
{
    __asm__(TH_DW3_BODY("24"));
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
                                    const int32_t *multipliers, const int8_t *rights, int32_t zero2)
{
    for (int32_t c = 0; c < 4; c++) {
        four->biases2[c] = biases2[c];
        four->finish[c].multiplier = multipliers[c];
        four->finish[c].add = (int32_t)((uint32_t)zero2 << (rights[c] - 1));
        four->finish[c].right = rights[c];
    }
    for (int32_t kx = 0; kx < 3; kx++) {
        for (int32_t i = 0; i < 3; i++, weights += 4) {
            const uint32_t word = th_load32(weights);
            four->taps[kx][2 * i] = th_depthwise_twice(th_sxtb16(word));
            four->taps[kx][2 * i + 1] = th_depthwise_twice(th_sxtb16_ror8(word));
        }
    }
}

TH_INLINE void th_depthwise_3x3_of(const uint32_t *columns, const th_depthwise_four *four,
                                   const th_depthwise_outputs *to, int32_t stride)
{
    for (int8_t *output = to->output; output != to->end; output += to->step, columns += 6 * stride) {
        for (int32_t c = 0; c < 4; c++) {
            int32_t sum = four->biases2[c];
            for (int32_t kx = 0; kx < 3; kx++) {
                const uint32_t *x = columns + 6 * kx;
                const uint32_t *w = four->taps[kx];
                const int32_t third = 4 + (c & 1);
                sum = th_smlad(x[c], w[c], sum);
                sum = c < 2 ? th_smlabb(x[third], w[third], sum) : th_smlatt(x[third], w[third], sum);
            }
            const th_depthwise_finish *f = &four->finish[c];
            output[c] = (int8_t)th_ssat8((f->add + (sum < 0 ? -1 : 0) + th_smmulr(sum, f->multiplier)) >> f->right);
        }
    }
}

TH_KERNEL void th_depthwise_3x3_1(const uint32_t *columns, const th_depthwise_four *four,
                                  const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 1);
}

TH_KERNEL void th_depthwise_3x3_2(const uint32_t *columns, const th_depthwise_four *four,
                                  const th_depthwise_outputs *to)
{
    th_depthwise_3x3_of(columns, four, to, 2);
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

/*
 * Leaves out what weights of rows outside the image count. `rows` are the window's.
 */
TH_INLINE void th_depthwise_mask(const void *const *rows, th_depthwise_four *four)
{
    const uint32_t mask = (rows[0] ? 0xffffu : 0u) | (rows[1] ? 0xffff0000u : 0u);
    for (int32_t kx = 0; kx < 3; kx++) {
        uint32_t *taps = four->taps[kx];
        for (int32_t i = 0; i < 6; i++) {
            taps[i] &= i < 4 ? mask : rows[2] ? 0xffffffffu : 0u;
        }
    }
}

/* Limits outputs to a range that is not all of int8. */
TH_INLINE void th_depthwise_limit(const th_depthwise_conv2d_params *p, int32_t outputs, int8_t *output)
{
    for (int32_t i = 0; i < outputs; i++) {
        for (int32_t c = 0; c < p->in_c; c++) {
            output[c] = (int8_t)th_clamp(output[c], p->min, p->max);
        }
        output += p->out_step;
    }
}

typedef void th_depthwise_3x3_outputs(const uint32_t *columns, const th_depthwise_four *four,
                                      const th_depthwise_outputs *to);

TH_KERNEL void th_depthwise_3x3(const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows,
                                const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,
                                const int8_t *rights, void *scratch, int8_t *output,
                                th_depthwise_3x3_outputs *compute)
{
    const th_depthwise_conv2d_params *p = &params->p;
    th_depthwise_four *const four = (th_depthwise_four *)scratch;
    uint32_t *const columns = (uint32_t *)(four + 1);
    const int32_t has_blank = !rows[0] || !rows[1] || !rows[2];
    const void *const present = rows[0] ? rows[0] : rows[1] ? rows[1] : rows[2];
    th_depthwise_source from;
    from.step = p->in_step;
    from.offset = (uint32_t)(-p->in_zero & 0xffff) * UINT32_C(0x10001);
    th_depthwise_outputs to;
    to.step = p->out_step;
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int32_t width = (outputs - 1) * p->stride_w + 3;
        const int32_t first = th_max(-x0, 0);
        const int32_t end = present ? th_min(width, p->in_w - x0) : 0;
        if (first > 0 || end < width) {
            memset(columns, 0, (size_t)width * 6 * sizeof(uint32_t));
        }
        from.end_x = (end - first) * p->in_step;
        const int8_t *own = weights;
        for (int32_t done = 0; done < p->in_c; done += 4, own += 36) {
            const int32_t c = th_min(done, p->in_c - 4);
            if (end > first) {
                const int32_t offset = (x0 + first) * p->in_step + c;
                for (int32_t ky = 0; ky < 3; ky++) {
                    from.rows[ky] = (const int8_t *)(rows[ky] ? rows[ky] : present) + offset;
                }
                th_depthwise_3x3_columns(&from, columns + 6 * first);
            }
            if (ox == 0 || p->in_c > 4) {
                th_depthwise_prepare(four, own, biases2 + c, multipliers + c, rights + c, 2 * p->out_zero + 1);
                if (has_blank) {
                    th_depthwise_mask(rows, four);
                }
            }
            to.output = output + c;
            to.end = to.output + outputs * p->out_step;
            compute(columns, four, &to);
        }
        if (p->min > INT8_MIN || p->max < INT8_MAX) {
            th_depthwise_limit(p, outputs, output);
        }
        output += outputs * p->out_step;
    }
}

/*
 * Computes one output row: rows [3] of the window, each [in_w][in_c] or NULL outside the input, weights in groups of 36 (see
 * th_depthwise_prepare), the last of the last four channels, twice the biases, multipliers and right shifts [out_c], output
 * [out_w][out_c].
 */
TH_KERNEL void th_depthwise_conv2d_s8_dsp_3x3_1(const th_depthwise_conv2d_dsp_3x3_params *params,
                                                const void *const *rows, const int8_t *weights,
                                                const int32_t *biases2, const int32_t *multipliers,
                                                const int8_t *rights, void *scratch, int8_t *output)
{
    th_depthwise_3x3(params, rows, weights, biases2, multipliers, rights, scratch, output, th_depthwise_3x3_1);
}

TH_KERNEL void th_depthwise_conv2d_s8_dsp_3x3_2(const th_depthwise_conv2d_dsp_3x3_params *params,
                                                const void *const *rows, const int8_t *weights,
                                                const int32_t *biases2, const int32_t *multipliers,
                                                const int8_t *rights, void *scratch, int8_t *output)
{
    th_depthwise_3x3(params, rows, weights, biases2, multipliers, rights, scratch, output, th_depthwise_3x3_2);
}

#endif
