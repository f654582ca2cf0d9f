/*
 * Depthwise convolution, int8 activations and weights, for Armv6-M; bit-exact with depthwiseConv2dReference. Channel by
 * channel: the columns of the rows of its windows are widened to words, three rows together, zero points where there is
 * padding; then a column of three weights is multiplied with the columns of four outputs, and so on for each column of the
 * kernel and each three of its rows; then the sums become outputs.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_ARMV6M_H
#define TH_DEPTHWISE_CONV2D_S8_ARMV6M_H

#include "th_armv6m.h"

/* Sizes and steps in elements. */
typedef struct {
    int32_t block;             /* outputs of a row that are computed together */
    int32_t columns;           /* of all their windows */
    int32_t room;              /* for columns, as four outputs may be computed where there is one */
    int32_t groups;            /* of three rows of the kernel */
    int32_t in_w, in_c, in_step;
    int32_t out_w, out_step;
    int32_t k_h, k_w, multiplier;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero;
    int32_t zero2, pieces;     /* see th_finish_m0 */
    int32_t min, max;
} th_depthwise_conv2d_s8_armv6m_params;

/* Everything in words, as the assembly reads it; steps in bytes. */
typedef struct {
    const int32_t *values;                /* 0: [columns][3], of the first output */
    const int32_t *weights, *weights_end; /* 4, 8: [k_w][3] */
    int32_t *sums, *sums_end;             /* 12, 16: at least one */
    int32_t skip;                         /* 20: columns between those of neighbours: 12 * (stride - 1) */
    int32_t tap_step;                     /* 24: 12 * dilation */
    int32_t out_step;                     /* 28: 12 * stride */
} th_columns_m0;

#if TH_ARMV6M_ASM

/* r0 values, r1 weights, r2 to r4 three of them, r5 to r7 values; sums in r8 to r11, r12 skip, lr from tap to tap. */
#define TH_COLUMN_M0(sum)                                                                                              \
    "ldmia r0!, {r5, r6, r7}\n"                                                                                        \
    "muls r5, r2, r5\n"                                                                                                \
    "muls r6, r3, r6\n"                                                                                                \
    "muls r7, r4, r7\n"                                                                                                \
    "adds r5, r5, r6\n"                                                                                                \
    "adds r5, r5, r7\n"                                                                                                \
    "add r0, r0, r12\n"                                                                                                \
    "add " sum ", " sum ", r5\n"

/* Four outputs at a time, where at least two are left, else one; writes sums up to three behind the last. */
TH_NAKED_M0 void th_columns_s8_m0(const th_columns_m0 *c TH_M0_ARG)
{
    /* The stack: [0] values, [4] weights, [8] their end, [12] sums, [16] their end, [20] skip, [24] tap, [28] step. */
    __asm__(TH_M0_PUSH
            "sub sp, #32\n"
            "mov r1, sp\n"
            "ldmia r0!, {r2-r5}\n"
            "stmia r1!, {r2-r5}\n"
            "ldmia r0!, {r2-r5}\n"
            "stmia r1!, {r2-r5}\n"
            "mov r12, r3\n"
            "10:\n"
            "ldr r1, [sp, #4]\n"
            "ldr r2, [sp, #12]\n"
            "ldr r3, [sp, #16]\n"
            "subs r3, r3, r2\n"
            "ldr r4, [sp, #24]\n"
            "ldr r5, [sp, #28]\n"
            "cmp r3, #4\n"
            "beq 20f\n"
            "lsls r5, r5, #2\n"
            "subs r4, r4, r5\n"
            "mov lr, r4\n"
            "ldr r0, [sp, #0]\n"
            "adds r5, r5, r0\n"
            "str r5, [sp, #0]\n"
            "ldmia r2!, {r4-r7}\n"
            "mov r8, r4\n"
            "mov r9, r5\n"
            "mov r10, r6\n"
            "mov r11, r7\n"
            "11:\n"
            "ldmia r1!, {r2, r3, r4}\n" TH_COLUMN_M0("r8") TH_COLUMN_M0("r9") TH_COLUMN_M0("r10") TH_COLUMN_M0("r11")
            "add r0, r0, lr\n"
            "ldr r5, [sp, #8]\n"
            "cmp r1, r5\n"
            "bne 11b\n"
            "ldr r0, [sp, #12]\n"
            "mov r4, r8\n"
            "mov r5, r9\n"
            "mov r6, r10\n"
            "mov r7, r11\n"
            "stmia r0!, {r4-r7}\n"
            "str r0, [sp, #12]\n"
            "ldr r1, [sp, #16]\n"
            "cmp r0, r1\n"
            "blo 10b\n"
            "b 22f\n"
            "20:\n"
            "subs r4, r4, r5\n"
            "mov lr, r4\n"
            "ldr r0, [sp, #0]\n"
            "ldr r4, [r2]\n"
            "mov r8, r4\n"
            "21:\n"
            "ldmia r1!, {r2, r3, r4}\n" TH_COLUMN_M0("r8")
            "add r0, r0, lr\n"
            "ldr r5, [sp, #8]\n"
            "cmp r1, r5\n"
            "bne 21b\n"
            "ldr r0, [sp, #12]\n"
            "mov r4, r8\n"
            "str r4, [r0]\n"
            "22:\n"
            "add sp, #32\n" TH_M0_POP);
}

#else

/* What the assembly above computes, but for the sums behind the last. */
TH_KERNEL void th_columns_s8_m0(const th_columns_m0 *c)
{
    const int32_t *first = c->values;
    for (int32_t *sum = c->sums; sum != c->sums_end; sum++, first += c->out_step / 4) {
        const int32_t *values = first;
        for (const int32_t *w = c->weights; w != c->weights_end; w += 3, values += c->tap_step / 4) {
            *sum += w[0] * values[0] + w[1] * values[1] + w[2] * values[2];
        }
    }
}

#endif

/* The columns of one block: those from first to end are inside the input. */
typedef struct {
    int32_t x, columns, first, end;
} th_depthwise_m0_span;

/* n columns of one channel of three rows. */
TH_ROW void th_depthwise_m0_widen(int32_t *to, const int8_t *a, const int8_t *b, const int8_t *c, int32_t step,
                                  int32_t n)
{
    int32_t at = 0;
    for (const int32_t *end = to + 3 * n; to != end; to += 3, at += step) {
        to[0] = a[at];
        to[1] = b[at];
        to[2] = c[at];
    }
}

/* Columns of zero points, every third word or each. */
TH_ROW void th_depthwise_m0_pad(int32_t *to, int32_t words, int32_t step, int32_t zero)
{
    for (int32_t i = 0; i < words; i += step) {
        to[i] = zero;
    }
}

/* The columns of a channel that are inside: values [groups][room][3], zero points for rows that are not. */
TH_INLINE void th_depthwise_m0_columns(const th_depthwise_conv2d_s8_armv6m_params *p, const th_depthwise_m0_span *span,
                                       const void *const *rows, int32_t channel, int32_t *values)
{
    const int32_t n = span->end - span->first;
    const int32_t at = (span->x + span->first) * p->in_step + channel;
    values += 3 * span->first;
    for (int32_t row = 0; row < p->k_h && n > 0; row += 3, values += 3 * p->room) {
        const int8_t *a = (const int8_t *)rows[row];
        const int8_t *b = (const int8_t *)rows[th_min(row + 1, p->k_h - 1)];
        const int8_t *c = (const int8_t *)rows[th_min(row + 2, p->k_h - 1)];
        if (a && b && c) {
            th_depthwise_m0_widen(values, a + at, b + at, c + at, p->in_step, n);
            continue;
        }
        const int8_t *any = a ? a : (b ? b : c);
        if (any) {
            th_depthwise_m0_widen(values, (a ? a : any) + at, (b ? b : any) + at, (c ? c : any) + at, p->in_step, n);
        }
        for (int32_t i = 0; i < 3; i++) {
            if (!(i == 0 ? a : (i == 1 ? b : c))) {
                th_depthwise_m0_pad(values + i, 3 * n, 3, p->in_zero);
            }
        }
    }
}

/* The sums of one channel from its columns: `weights` as in flash. */
TH_INLINE void th_depthwise_m0_sums(const th_depthwise_conv2d_s8_armv6m_params *p, th_columns_m0 *c,
                                    const int32_t *values, const int8_t *weights, int32_t *words)
{
    for (int32_t rows = p->k_h; rows > 0; rows -= 3, values += 3 * p->room) {
        int32_t *to = words;
        for (int32_t i = p->k_w; i > 0; i--, to += 3) {
            to[0] = *weights++;
            to[1] = rows > 1 ? *weights++ : 0;
            to[2] = rows > 2 ? *weights++ : 0;
        }
        c->values = values;
        th_columns_s8_m0(c);
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input; weights
 * [out_c][groups of three rows, the last of what is left][k_w][rows]; biases less the sums of weights times the input's zero point,
 * multipliers and right shifts [out_c], output [out_w][out_c].
 * scratch: values [groups][room][3], weights [k_w][3] and sums [block, rounded up to 4], words all.
 */
TH_KERNEL void th_depthwise_conv2d_s8_armv6m(const th_depthwise_conv2d_s8_armv6m_params *p, const void *const *rows,
                                             const int8_t *weights, const int32_t *biases, const int32_t *multipliers,
                                             const int8_t *rights, void *scratch, int8_t *output)
{
    int32_t *values = (int32_t *)scratch;
    int32_t *words = values + 3 * p->groups * p->room;
    int32_t *sums = words + 3 * p->k_w;
    const int32_t channel_weights = p->k_h * p->k_w;
    const int32_t out_c = p->in_c * p->multiplier;
    th_finish_m0 finish;
    th_columns_m0 c;
    c.weights = words;
    c.weights_end = words + 3 * p->k_w;
    c.sums = sums;
    c.skip = 12 * (p->stride_w - 1);
    c.tap_step = 12 * p->dilation_w;
    c.out_step = 12 * p->stride_w;
    finish.sums = sums;
    finish.out_step = p->out_step;
    finish.zero2 = p->zero2;
    finish.pieces = p->pieces;
    for (int32_t ox = 0; ox < p->out_w; ox += p->block) {
        const int32_t n = th_min(p->out_w - ox, p->block);
        th_depthwise_m0_span span;
        span.x = ox * p->stride_w - p->pad_left;
        span.columns = p->columns - (p->block - n) * p->stride_w;
        const th_taps inside = th_taps_inside(span.x, 1, span.columns, p->in_w);
        span.first = th_min(inside.first, span.columns);
        span.end = th_max(inside.end, span.first);
        for (int32_t group = 0; group < p->groups; group++) {
            int32_t *columns = values + 3 * group * p->room;
            th_depthwise_m0_pad(columns, 3 * span.first, 1, p->in_zero);
            th_depthwise_m0_pad(columns + 3 * span.end, 3 * (span.columns - span.end), 1, p->in_zero);
        }
        c.sums_end = sums + n;
        finish.end = sums + n;
        const int8_t *own = weights;
        for (int32_t ic = 0, oc = 0; ic < p->in_c; ic++) {
            th_depthwise_m0_columns(p, &span, rows, ic, values);
            for (int32_t i = 0; i < p->multiplier; i++, oc++, own += channel_weights) {
                const int32_t bias = biases[oc];
                for (int32_t k = 0; k < n; k++) {
                    sums[k] = bias;
                }
                th_depthwise_m0_sums(p, &c, values, own, words);
                finish.output = output + oc;
                finish.multiplier = multipliers[oc];
                finish.right = rights[oc];
                th_finish_s8_m0(&finish);
            }
        }
        th_limit_m0(output, n, out_c, p->out_step, p->min, p->max);
        output += n * p->out_step;
    }
}

#endif
